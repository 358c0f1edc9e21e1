// The page of a run: every chart has the scenario's time as its x axis, the phases as edges and the faults as bands.
"use strict";

const COLOURS = {
  ok: "#2e9e5b", http_error: "#d63b3b", rate_limited: "#e8902a", refused: "#7a1f5c", tls_error: "#00897b", reset: "#b0489b", closed: "#e08fd0", timeout: "#5b4bb5",
  slow: "#8a7fe0", truncated: "#2f7fc1", error_event: "#c2185b", malformed: "#8d6e63", blank: "#9e9d24", unfinished: "#78909c",
};
const LINES = ["#1e88e5", "#e8902a", "#2e9e5b", "#d63b3b"];
const SIZE = { height: 220, left: 46, right: 10, top: 18, bottom: 22 };
const SVG = "http://www.w3.org/2000/svg";

const $ = (id) => document.getElementById(id);
// Every text comes from the server, formatted (mockbot/units/formatting.py), but for the marks on the y axis, whose scale is made here.
const number = (v) => (v >= 10 || v === 0 ? v.toFixed(0) : v.toFixed(v < 1 ? 2 : 1));
const percent = (v) => `${(100 * v).toFixed(0)} %`;

function draw(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function frame(head, most, element, format) {
  const size = { ...SIZE, width: Math.max(300, element.clientWidth) }; // one unit is one pixel, so that text keeps its size
  const svg = draw("svg", { viewBox: `0 0 ${size.width} ${size.height}`, role: "img" });
  const x = (t) => size.left + ((size.width - size.left - size.right) * t) / head.end;
  const y = (v) => size.height - size.bottom - ((size.height - size.top - size.bottom) * v) / most;
  for (const fault of head.faults) {
    const band = draw("rect", {
      class: "band", x: x(fault.start), width: x(Math.min(fault.end, head.end)) - x(fault.start), y: size.top, height: size.height - size.top - size.bottom,
    });
    band.append(draw("title", {}, fault.name));
    svg.append(band);
  }
  for (const mark of [0, most / 2, most]) {
    svg.append(draw("line", { class: "axis", x1: size.left, x2: size.width - size.right, y1: y(mark), y2: y(mark) }));
    svg.append(draw("text", { x: size.left - 6, y: y(mark) + 4, "text-anchor": "end" }, format(mark)));
  }
  let free = -1; // names that would cover each other are left out
  for (const phase of head.phases) {
    svg.append(draw("line", { class: "edge", x1: x(phase.start), x2: x(phase.start), y1: size.top, y2: size.height - size.bottom }));
    if (x(phase.start) > free) {
      svg.append(draw("text", { x: x(phase.start) + 3, y: 12 }, phase.name));
      free = x(phase.start) + 7 * phase.name.length;
    }
  }
  for (const { t, text } of head.ticks) {
    const anchor = t === 0 ? "start" : t === head.end ? "end" : "middle";
    svg.append(draw("text", { x: x(t), y: size.height - 6, "text-anchor": anchor }, text));
  }
  if (head.state === "runs") svg.append(draw("line", { class: "now", x1: x(head.t), x2: x(head.t), y1: size.top, y2: size.height - size.bottom }));
  return { svg, x, y };
}

function legend(id, entries) {
  $(id).replaceChildren(...entries.map(([name, colour]) => {
    const part = document.createElement("span");
    const dot = document.createElement("i");
    dot.style.background = colour;
    part.append(dot, name);
    return part;
  }));
}

function round(most) {
  if (!(most > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((k) => k * power).find((k) => k >= most);
}

function stacked(id, data) {
  const heights = data.points.map((p) => Object.values(p.outcomes).reduce((a, b) => a + b, 0) / data.width);
  const { svg, x, y } = frame(data.head, round(Math.max(...heights, 0)), $(id), number);
  const present = data.outcomes.filter((name) => data.points.some((p) => p.outcomes[name]));
  for (const point of data.points) {
    let below = 0;
    for (const name of present) {
      const height = (point.outcomes[name] || 0) / data.width;
      if (!height) continue;
      const left = x(Math.min(point.t, data.head.end));
      const bar = draw("rect", {
        x: left, width: Math.max(1, x(point.t + data.width) - left - 0.3), y: y(below + height), height: y(below) - y(below + height), fill: COLOURS[name],
      });
      bar.append(draw("title", {}, `${point.clock}: ${point.outcomes[name]} ${name}`));
      svg.append(bar);
      below += height;
    }
  }
  $(id).replaceChildren(svg);
  legend(`${id}-legend`, present.map((name) => [name, COLOURS[name]]));
}

function lines(element, head, points, keys, format, atLeast = 0) {
  const values = points.flatMap((p) => keys.map((key) => p[key] || 0));
  const { svg, x, y } = frame(head, round(Math.max(...values, atLeast)), element, format);
  keys.forEach((key, index) => {
    let path = "";
    let on = false;
    for (const point of points.filter((p) => p.t <= head.end)) {
      const known = point[key] !== null && point[key] !== undefined;
      if (known) path += `${on ? "L" : "M"}${x(point.t).toFixed(1)},${y(point[key]).toFixed(1)}`;
      on = known;
    }
    svg.append(draw("path", { d: path, fill: "none", stroke: LINES[index], "stroke-width": 2, "stroke-linecap": "round" }));
  });
  element.replaceChildren(svg);
}

function providers(data) {
  const box = $("providers");
  for (const [name, points] of Object.entries(data.providers)) {
    let part = document.getElementById(`provider-${name}`);
    if (!part) {
      part = document.createElement("div");
      part.id = `provider-${name}`;
      part.className = "two";
      part.innerHTML = '<section><h2></h2><div class="chart"></div><div class="legend"></div></section><section><h2></h2><div class="chart"></div></section>';
      box.append(part);
      const [work, wait] = part.querySelectorAll("h2");
      work.textContent = `${name}'s side: requests`;
      wait.textContent = `${name}'s side: wait in queue, s (queue length / admissions per second, Little's law)`;
      part.querySelector(".legend").id = `provider-${name}-legend`;
    }
    const [work, wait] = part.querySelectorAll(".chart");
    lines(work, data.head, points, ["offered", "refused", "running", "queued"], number);
    legend(`provider-${name}-legend`, [["requests per s", LINES[0]], ["refused or failed per s", LINES[1]], ["answering", LINES[2]], ["queued", LINES[3]]]);
    lines(wait, data.head, points, ["wait"], number);
  }
}

function table(data) {
  const row = (cells, tag) => {
    const line = document.createElement("tr");
    for (const text of cells) line.append(Object.assign(document.createElement(tag), { textContent: text }));
    return line;
  };
  $("phases").tHead.replaceChildren(row(data.columns.map(([, title]) => title), "th"));
  $("phases").tBodies[0].replaceChildren(...data.phases.map((r) => row(data.columns.map(([key]) => r[key]), "td")));
}

function verdict(head) {
  const box = $("verdict");
  box.hidden = !head.verdict && !head.error;
  if (box.hidden) return;
  const judged = head.verdict || { verdict: "inconclusive", reasons: [head.error], expectations: [] };
  box.className = judged.verdict;
  const items = [...judged.reasons, ...judged.expectations];
  const list = document.createElement("ul");
  for (const text of items) list.append(Object.assign(document.createElement("li"), { textContent: text }));
  const report = Object.assign(document.createElement("a"), { href: "report", target: "_blank", textContent: "Open the report" });
  const title = Object.assign(document.createElement("strong"), { textContent: `Verdict: ${judged.verdict}` });
  box.replaceChildren(title, ...(head.verdict ? [" ", report] : []), list);
}

function showNow(head) {
  $("title").textContent = head.title;
  document.title = `${head.phase}: ${head.title}`;
  const wrong = head.wrong.join("; ");
  const where = `${head.phase}, ${head.clock}`;
  const what = head.state === "over" ? "over" : wrong || (head.state === "ends" ? "waiting for the last answers" : "no fault is scheduled now");
  const status = head.says && head.state !== "over" ? `, the status page says: ${head.says}` : "";
  const counts = head.state === "over" ? "" : `; ${head.users} users, ${head.pending} waiting`;
  $("now").textContent = `${where}: ${what}${counts}${status}`;
  $("now").className = wrong ? "wrong" : "";
}

function listed(id, texts, none) {
  const all = texts.length ? texts : [none];
  $(id).replaceChildren(...all.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

function watch(head) {
  const over = head.state === "over";
  $("wrong-for").textContent = head.wrong_for;
  listed("wrong", head.wrong, over ? "it is over" : "no fault is scheduled now");
  listed("coming", head.coming, over ? "nothing: it is over" : "waiting for the last answers");
  $("status").textContent = head.status;
  $("says").textContent = head.says;
  $("pace").textContent = `Times are the scenario's${head.speed === 1 ? "" : `, which runs ${head.speed} times as fast as the wall clock`}.`;
  $("lately").textContent = `of the requests that ended in the last ${head.lately}; good of what was answered or given up`;
  const columns = [["group", "group"], ["failing", "requests failing"], ["last_good", "last good answer"], ["good", "good so far"]];
  const row = (cells, tag) => {
    const line = document.createElement("tr");
    for (const text of cells) line.append(Object.assign(document.createElement(tag), { textContent: text }));
    return line;
  };
  $("groups").tHead.replaceChildren(row(columns.map(([, title]) => title), "th"));
  $("groups").tBodies[0].replaceChildren(...head.groups.map((group) => {
    const line = row(columns.map(([key]) => group[key]), "td");
    if (group.suffers && !over) line.className = "suffers";
    return line;
  }));
}

async function look() {
  if (localStorage.theme) document.documentElement.dataset.theme = localStorage.theme; // what Locust's own page was switched to
  let wait = 1000;
  try {
    const data = await (await fetch("data")).json();
    if (data.head) {
      document.body.classList.remove("empty");
      showNow(data.head);
      watch(data.head);
      verdict(data.head);
      stacked("outcomes", data);
      lines($("first"), data.head, data.points, ["first_p50", "first_p95"], number);
      legend("first-legend", [["p50", LINES[0]], ["p95", LINES[1]]]);
      lines($("latency"), data.head, data.points, ["latency_p50", "latency_p95"], number);
      legend("latency-legend", [["p50", LINES[0]], ["p95", LINES[1]]]);
      lines($("amplification"), data.head, data.points, ["per_prompt"], number, 2);
      lines($("good"), data.head, data.points, ["good"], percent, 1);
      providers(data);
      table(data);
      if (data.head.state === "over") wait = 5000;
    }
  } catch (error) {
    $("now").textContent = "Locust does not answer; this is its last state.";
  }
  setTimeout(look, wait);
}

look();
