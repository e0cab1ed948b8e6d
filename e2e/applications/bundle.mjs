/** Bundles an application as a user's own tools do: bundle.mjs ENTRY OUTPUT development|production. */
import { readFile } from "node:fs/promises";
import { argv } from "node:process";

import { build } from "esbuild";
import { compileScript, parse } from "vue/compiler-sfc";

const [entry, outfile, mode] = argv.slice(2);

/** What a bundler's plugin for Vue does with a component in one file. */
const vue = {
  name: "vue",
  setup({ onLoad }) {
    onLoad({ filter: /\.vue$/ }, async ({ path }) => {
      const { descriptor, errors } = parse(await readFile(path, "utf8"), { filename: path });
      if (errors.length) return { errors: errors.map(({ message: text }) => ({ text })) };
      return { contents: compileScript(descriptor, { id: path, inlineTemplate: true }).content };
    });
  },
};

await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  minify: mode === "production",
  jsx: "automatic",
  jsxDev: mode === "development",
  define: {
    "process.env.NODE_ENV": JSON.stringify(mode),
    __VUE_OPTIONS_API__: "false",
    __VUE_PROD_DEVTOOLS__: "false",
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
  },
  plugins: [vue],
  logLevel: "warning",
});
