/** The documented composable and component, in an application that takes them off its page and puts them back. */
import { createApp, h, ref } from "vue";

import OurMap from "./OurMap.vue";
import { useGranted } from "./granted.js";

window.rendered = [];

/** Keeps what the composable said in every render. */
const State = {
  props: { id: { type: String, required: true } },
  setup({ id }) {
    const isGranted = useGranted(id);
    return () => {
      window.rendered.push(`${id} ${isGranted.value}`);
      return h("output", `${id} ${isGranted.value}`);
    };
  },
};

const Page = {
  setup() {
    const isShown = ref(true);
    const id = ref("google-maps");
    return () => [
      h("button", { onClick: () => (isShown.value = !isShown.value) }, "Toggle"),
      h("button", { onClick: () => (id.value = "another") }, "Another"),
      isShown.value && h("div", { id: "map" }, h(OurMap)),
      // A composable's id stays what it was: another one is another component.
      isShown.value && h(State, { id: id.value, key: id.value }),
      isShown.value &&
        h("div", { id: "marked" }, [
          h("iframe", {
            "data-consent": "google-maps",
            "data-src": "https://www.google.com/maps/embed?pb=marked",
            title: "Marked",
          }),
        ]),
    ];
  },
};

createApp(Page).mount("#app");
