/** The documented hook and component, in an application that takes them off its page and puts them back. */
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

import { OurMap, useGranted } from "./documented.jsx";

window.rendered = [];

/** Keeps what the hook said in every render. */
function State({ id }) {
  const isGranted = useGranted(id);
  window.rendered.push(`${id} ${isGranted}`);
  return <output>{`${id} ${isGranted}`}</output>;
}

/** A frame that the kit holds back, in an element of its own. */
function MarkedMap() {
  return (
    <div id="marked">
      <iframe
        data-consent="google-maps"
        data-src="https://www.google.com/maps/embed?pb=marked"
        title="Marked"
      />
    </div>
  );
}

function Page() {
  const [isShown, setShown] = useState(true);
  const [id, setId] = useState("google-maps");
  return (
    <>
      <button type="button" onClick={() => setShown(!isShown)}>Toggle</button>
      <button type="button" onClick={() => setId("another")}>Another</button>
      {isShown && <div id="map"><OurMap /></div>}
      {isShown && <State id={id} />}
      {isShown && <MarkedMap />}
    </>
  );
}

createRoot(document.querySelector("#app")).render(<StrictMode><Page /></StrictMode>);
