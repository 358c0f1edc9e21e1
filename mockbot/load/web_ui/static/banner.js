// Adds to Locust's own page: a banner that shows what is wrong now, a scenario picker that is not folded away, and bands over the native charts.
// Locust's bundle has no hooks for any of it (2.47); everything here only adds elements and reads the same polls that Locust's page makes.
"use strict";

const PLOT = { left: 60, right: 40, top: 65, bottom: 80 }; // px around the plot area of Locust's charts
const polls = { first: null, last: null }; // ms; the x axis of Locust's charts goes from the first poll to the last
let head = {};
let opensTab = false; // an outage was started: its tab opens once Locust shows its tabs
let bandsOn = localStorage.getItem("mockbot-bands") !== "off";

const history = (window.templateArgs && window.templateArgs.history) || [];
if (history.length) {
  polls.first = Date.parse(history[0].time);
  polls.last = Date.parse(history[history.length - 1].time);
}

const locustFetch = window.fetch;
window.fetch = async (...args) => {
  const response = await locustFetch(...args);
  const url = String(args[0] && args[0].url ? args[0].url : args[0]);
  if (url.includes("swarm")) polls.first = polls.last = null;
  if (url.includes("stats/requests")) {
    polls.last = Date.now();
    polls.first = polls.first || polls.last;
    setTimeout(drawBands, 300);
  }
  return response;
};

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const banner = make("div", { id: "mockbot-banner", hidden: true });
document.body.prepend(banner);

async function look() {
  try {
    head = await (await locustFetch("./outage/head")).json();
    if (head.scenario) showBanner();
  } catch (error) {
    // the server is gone; Locust's own page shows that
  }
  unfold();
  arrange();
  watch();
  drawBands();
  setTimeout(look, 1000);
}

function showBanner() {
  const verdict = head.verdict && head.verdict.verdict;
  const wrong = head.wrong.length > 0;
  banner.hidden = false;
  banner.className = verdict
    ? { pass: "fine", fail: "wrong" }[verdict] || "undecided"
    : head.error ? "wrong" : wrong ? "wrong" : "";
  const message = head.error
    ? head.error
    : verdict
      ? `Verdict: ${verdict}. ${head.verdict.reasons.join(" ")}`
      : head.state === "ends"
        ? "The end: waiting for the last answers"
        : wrong ? head.wrong.join("; ") : "No fault is scheduled now";
  const box = make("input", { type: "checkbox", checked: bandsOn });
  box.onchange = () => {
    bandsOn = box.checked;
    localStorage.setItem("mockbot-bands", bandsOn ? "on" : "off");
    drawBands();
  };
  const words = make("div", { className: "words" },
    make("span", { textContent: head.title }),
    make("span", { className: "phase", textContent: `${head.phase} (${head.clock})` }),
    make("span", { className: "wrongs", textContent: message }),
    make("label", {}, box, " bands"),
    make("a", { href: "./outage/", textContent: "Outage dashboard" }));
  const strip = make("div", { className: "strip" });
  for (const fault of head.faults) {
    const part = make("i", { title: fault.name });
    part.style.left = `${(100 * fault.start) / head.end}%`;
    part.style.width = `${(100 * (Math.min(fault.end, head.end) - fault.start)) / head.end}%`;
    strip.append(part);
  }
  const now = make("b");
  now.style.left = `${(100 * head.t) / head.end}%`;
  strip.append(now);
  banner.replaceChildren(words, strip);
}

function unfold() {
  // The picker is in an accordion that starts folded; it is opened once for each time the form appears.
  for (const summary of document.querySelectorAll(".MuiAccordionSummary-root")) {
    if (!summary.dataset.mockbot && /custom parameters/i.test(summary.textContent)) {
      summary.dataset.mockbot = "unfolded";
      if (summary.getAttribute("aria-expanded") === "false") summary.click();
    }
  }
}

const chosen = (scenario) => Boolean(scenario) && scenario !== "none";
const FIRST = "unexpected-failure"; // chosen in a form that has neither a scenario nor a host

function arrange() {
  // The scenario comes first; what an outage brings itself (users, ramp, host and its notice, key, model) is shown for a plain test only.
  for (const picker of document.querySelectorAll("form select[name=scenario]")) {
    const form = picker.form;
    const outage = picker.closest(".MuiAccordion-root");
    if (!form.dataset.mockbot) {
      form.dataset.mockbot = "arranged";
      const host = form.querySelector("input[name=host]");
      if (!chosen(picker.value) && !(host && host.value) && [...picker.options].some((option) => option.value === FIRST)) {
        picker.value = FIRST;
        picker.dispatchEvent(new Event("change", { bubbles: true }));
      }
      outage.classList.add("mockbot-first");
      outage.parentElement.style.display = "flex";
      outage.parentElement.style.flexDirection = "column";
      const field = (input) => input && input.closest(".MuiFormControl-root");
      field(picker).classList.add("mockbot-first");
      for (const each of [...outage.parentElement.children]) {
        if (each !== outage && !each.querySelector("button[type=submit]") && !each.matches("button[type=submit]")) each.classList.add("mockbot-beside");
      }
      for (const name of ["apiKey", "model"]) {
        const input = form.querySelector(`input[name=${name}]`);
        if (input) field(input).classList.add("mockbot-beside");
      }
      const title = outage.querySelector(".MuiAccordionSummary-content p");
      if (title) title.textContent = "Outage";
      const note = make("p", { className: "mockbot-note mockbot-first", textContent: "The outage brings its users and its providers. Choose none for a plain load test of a host." });
      field(picker).parentElement.prepend(note);
    }
    form.classList.toggle("mockbot-outage", chosen(picker.value));
  }
}

document.addEventListener("submit", (event) => {
  const picker = event.target.querySelector("select[name=scenario]");
  opensTab = picker !== null && chosen(picker.value);
}, true);
document.addEventListener("change", (event) => event.target.name === "scenario" && arrange(), true);

function watch() {
  // Locust's tab of the outage shows the outage's own page, in place of its table of phases.
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const tab = tabs.find((each) => each.textContent.trim().toLowerCase() === "outage");
  if (tab && opensTab && head.state === "runs") {
    opensTab = false;
    tab.click();
  }
  const open = tab && tab.getAttribute("aria-selected") === "true";
  const there = document.getElementById("mockbot-watch");
  if (!open) return there && there.remove();
  const table = document.querySelector("table");
  if (there || !table) return there && fit(there);
  const frame = make("iframe", { id: "mockbot-watch", src: "./outage/", title: "The outage" });
  (table.closest(".MuiPaper-root") || table).before(frame);
}

function fit(frame) {
  const inside = frame.contentDocument && frame.contentDocument.documentElement;
  if (inside) frame.style.height = `${inside.querySelector("body").scrollHeight + 8}px`;
}

function drawBands() {
  for (const old of document.querySelectorAll(".mockbot-bands")) old.remove();
  if (!bandsOn || !head.faults || !polls.first || polls.last <= polls.first) return;
  for (const chart of document.querySelectorAll("[_echarts_instance_]")) {
    const layer = make("div", { className: "mockbot-bands" });
    Object.assign(layer.style, Object.fromEntries(Object.entries(PLOT).map(([side, px]) => [side, `${px}px`])));
    let row = 0;
    for (const fault of head.faults) {
      const at = (t) => (100 * ((head.t0 + t / head.speed) * 1000 - polls.first)) / (polls.last - polls.first);
      if (at(fault.start) >= 100 || at(fault.end) <= 0) continue;
      const name = make("span", { textContent: fault.name });
      name.style.top = `${2 + 13 * row++}px`; // below each other, since faults overlap
      const band = make("i", {}, name);
      band.style.left = `${Math.max(0, at(fault.start))}%`;
      band.style.width = `${Math.min(100, at(fault.end)) - Math.max(0, at(fault.start))}%`;
      layer.append(band);
    }
    if (getComputedStyle(chart).position === "static") chart.style.position = "relative";
    chart.append(layer);
  }
}

look();
