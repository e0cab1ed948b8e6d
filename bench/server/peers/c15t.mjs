// c15t's own backend, served the way its documentation does it: one process, its Kysely adapter.
// PORT; DATABASE: a file, or an address that begins with postgres. Run from the folder that holds
// its node_modules.
import { createRequire } from "node:module";
import path from "node:path";

const load = createRequire(path.join(process.cwd(), "index.js"));
const { c15tInstance } = load("@c15t/backend");
const { kyselyAdapter } = load("@c15t/backend/db/adapters/kysely");
const { LatestDB } = load("@c15t/backend/db/schema");
const { migrator } = load("@c15t/backend/db/migrator");
const { serve } = load("@hono/node-server");
const { Kysely, PostgresDialect, SqliteDialect } = await import(
  new URL(`file://${load.resolve("kysely")}`)
);

function openPostgresql(connectionString) {
  const { Pool } = load("pg");
  const dialect = new PostgresDialect({ pool: new Pool({ connectionString, max: 10 }) });
  return { db: new Kysely({ dialect }), provider: "postgresql" };
}

function openSqlite(file) {
  const Database = load("better-sqlite3");
  const database = new Database(file);
  // The same promise as ours: flushed before the answer.
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  return { db: new Kysely({ dialect: new SqliteDialect({ database }) }), provider: "sqlite" };
}

const { DATABASE, PORT } = process.env;
const adapter = kyselyAdapter(
  DATABASE.startsWith("postgres") ? openPostgresql(DATABASE) : openSqlite(DATABASE),
);
const migration = await migrator({ db: LatestDB.client(adapter), schema: "latest" });
await migration.execute?.();
const { handler } = c15tInstance({
  appName: "bench",
  basePath: "/",
  adapter,
  trustedOrigins: ["https://www.example.com"],
  logger: { level: "error" },
  apiKeys: ["bench"],
});
serve({ fetch: handler, port: Number(PORT), hostname: "127.0.0.1" });
