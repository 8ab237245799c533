// Starts the model of a playground and asks it anew whenever a control moves. What it answers is markup made by package panel.
(() => {
  "use strict";
  const root = document.querySelector(".mmiln-play:not([data-started])");
  if (!root) return;
  root.dataset.started = "";
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const form = part("form");
  const field = (name) => form.elements.namedItem(name);
  const sliders = [...root.querySelectorAll("input[name=gate]")];
  const moved = new Map(); // gates that the reader holds, by tap
  let neutral, wanted = false, comparing = 0;

  const say = (text) => { part("status").textContent = text; };
  const fail = (text) => { part("error").textContent = text || ""; part("error").hidden = !text; };
  const breath = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

  function decode(base64) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
    const packed = atob(base64), bytes = new Uint8Array(packed.length);
    for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
    return bytes;
  }

  async function unpack(name) {
    const bytes = decode(part(name).textContent.trim());
    part(name).remove();
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  }

  function ask(what, argument) {
    const reply = JSON.parse(globalThis.mmilnPlayground[what](argument));
    if (reply.error) throw new Error(reply.error);
    return reply.value;
  }

  async function start() {
    say("Starting the model…");
    await breath();
    const [module, bundle] = await Promise.all([unpack("program").then((code) => WebAssembly.compile(code)), unpack("bundle")]);
    const go = new globalThis.Go();
    go.run(await WebAssembly.instantiate(module, go.importObject)).then(() => fail("The model has stopped; reload the page."));
    await breath();
    neutral = ask("open", new Uint8Array(bundle));
    await breath();
    see();
    part("all").disabled = false;
    root.dataset.ready = Math.round(performance.now());
    say(`The model runs in this page; it was ready ${(performance.now() / 1000).toFixed(1)} s after the page began to load.`);
  }

  function controls() {
    return {
      ...neutral,
      example: Number(field("example").value), words: field("words").value, audio: field("audio").value, vision: field("vision").value,
      drop: [...root.querySelectorAll("input[name=drop]:checked")].map((box) => box.value),
      gates: Object.fromEntries(moved), how: root.querySelector("input[name=how]:checked")?.value || neutral.how,
      layer: Number(field("layer").value), orders: Number(field("orders").value), span: Number(field("span").value),
      orthogonality: field("orthogonality").value, label: field("truth").checked ? null : Number(field("label").value),
      epochs: Number(field("epochs").value), distance: field("distance").value, guard: Number(field("guard").value),
    };
  }

  function show(answer) {
    for (const [name, markup] of Object.entries(answer.regions)) {
      root.querySelector(`[data-region="${name}"]`).innerHTML = markup;
    }
    for (const slider of sliders) {
      const gate = answer.gates?.[slider.dataset.tap];
      if (!gate) continue;
      const held = moved.has(slider.dataset.tap);
      if (!held) slider.value = gate.mean;
      const text = root.querySelector(`[data-gate="${slider.dataset.tap}"]`);
      text.textContent = gate.text;
      text.toggleAttribute("data-moved", held);
      slider.setAttribute("aria-valuetext", gate.text);
    }
    if (answer.said) part("said").textContent = answer.said;
  }

  function attempt(what) {
    const began = performance.now();
    try {
      const answer = ask(what, JSON.stringify(controls()));
      show(answer);
      fail("");
      if (what === "see" && field("truth").checked) field("label").value = answer.label;
    } catch (error) {
      fail(error.message);
    }
    part("label").textContent = signed(field("label").value);
    part("epochs").textContent = field("epochs").value;
    root.dataset[what] = performance.now() - began;
  }

  const signed = (v) => (v > 0 ? "+" : "") + Number(v).toFixed(1).replace("-", "−");

  function see() {
    wanted = false;
    attempt("see");
    clearTimeout(comparing);
    comparing = setTimeout(() => attempt("compare"), 300); // it may need the whole batch: once the reader pauses
  }

  // later recomputes once before the next frame, however many controls have moved.
  function later() {
    if (neutral && !wanted) {
      wanted = true;
      requestAnimationFrame(() => setTimeout(see));
    }
  }

  function all(value) {
    for (const slider of sliders) {
      slider.value = value;
      moved.set(slider.dataset.tap, value);
    }
    later();
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    const control = event.target;
    if (control.name === "gate") moved.set(control.dataset.tap, Number(control.value));
    if (control.name === "label") field("truth").checked = false;
    later();
  });
  form.addEventListener("keydown", (event) => {
    if (event.target.name !== "gate" || event.key !== "Delete") return;
    moved.delete(event.target.dataset.tap);
    later();
  });
  form.addEventListener("click", (event) => {
    switch (event.target.name) {
      case "release": moved.clear(); later(); break;
      case "open": all(1); break;
      case "close": all(0); break;
      case "restart": form.reset(); moved.clear(); later(); break;
    }
  });

  if (typeof WebAssembly === "undefined" || typeof DecompressionStream === "undefined" || !globalThis.Go) {
    say("The first example, as it was computed when the page was made. This browser does not run WebAssembly, so its controls rest.");
    return;
  }
  start().catch((error) => {
    say("The first example, as it was computed when the page was made. The model could not start, so its controls rest.");
    fail(error.message);
  });
})();
