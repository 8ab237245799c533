// Plays a reader of the page: moves each control, and tells the console what the page then shows, as one line of JSON.
(() => {
  "use strict";
  const root = document.querySelector(".mmiln-play");
  const violations = [], errors = [];
  document.addEventListener("securitypolicyviolation", (event) => violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  addEventListener("error", (event) => errors.push(event.message));
  addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));
  const region = (name) => root.querySelector(`[data-region="${name}"]`).textContent;
  const named = (name) => root.querySelector(`[name="${name}"]`);
  const wait = (done) => new Promise((resolve, reject) => {
    const began = performance.now();
    (function look() {
      if (done()) return resolve();
      if (performance.now() - began > 60000) return reject(new Error("waited for a minute"));
      setTimeout(look, 5);
    })();
  });

  async function answered(what, act) {
    delete root.dataset[what];
    act();
    await wait(() => root.dataset[what] !== undefined);
    return Number(root.dataset[what]);
  }

  function move(control, value) {
    if (control.type === "checkbox" || control.type === "radio") control.checked = value;
    else control.value = value;
    control.dispatchEvent(new Event("input", { bubbles: true }));
  }

  const steps = [
    ["example", "outcome", () => move(named("example"), "1")],
    ["words", "words", () => move(named("words"), "a <b>good</b> film")],
    ["audio", "outcome", () => move(named("audio"), "negative")],
    ["vision", "outcome", () => move(named("vision"), "negative")],
    ["gate", "outcome", () => move(root.querySelector("[name=gate]"), "1")],
    ["how", "outcome", () => move(root.querySelector("[name=how][value=scale]"), true)],
    ["drop", "outcome", () => move(root.querySelector("[name=drop][value=audio]"), true)],
    ["close", "outcome", () => named("close").click()],
    ["open", "outcome", () => named("open").click()],
    ["release", "outcome", () => named("release").click()],
    ["label", "labels", () => move(named("label"), "-1")],
    ["epochs", "labels", () => move(named("epochs"), "2")],
    ["distance", "labels", () => move(named("distance"), "printed")],
    ["layer", "words", () => move(named("layer"), "0")],
    ["orders", "refusion", () => move(named("orders"), "2")],
    ["span", "refusion", () => move(named("span"), "1")],
    ["orthogonality", "refusion", () => move(named("orthogonality"), "raw")],
    ["restart", "outcome", () => named("restart").click()],
  ];

  (async () => {
    const still = {};
    for (const part of root.querySelectorAll("[data-region]")) still[part.dataset.region] = part.textContent;
    await wait(() => root.dataset.ready !== undefined && root.dataset.compare !== undefined);
    const told = { ready: Number(root.dataset.ready), changed: {}, times: [], still: {}, inert: true };
    for (const [name, text] of Object.entries(still)) told.still[name] = region(name) === text;
    for (const [name, part, act] of steps) {
      const before = region(part);
      told.times.push(await answered("see", act));
      if (part === "refusion") await answered("compare", () => {});
      told.changed[name] = region(part) !== before;
      told.inert &&= !root.querySelector("[data-region] b + film, [data-region] script, td b");
      if (!root.querySelector("[data-part=error]").hidden) errors.push(`${name}: ${root.querySelector("[data-part=error]").textContent}`);
    }
    await answered("compare", () => {});
    told.reset = Object.entries(still).every(([name, text]) => region(name) === text);
    told.requested = performance.getEntriesByType("resource").map((entry) => entry.name);
    console.log("TOLD " + JSON.stringify({ ...told, violations, errors }));
  })().catch((error) => console.log("TOLD " + JSON.stringify({ errors: [...errors, error.message], violations })));
})();
