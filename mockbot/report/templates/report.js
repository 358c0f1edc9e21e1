"use strict";
(async () => {
  const text = (id) => document.getElementById(id).textContent;
  const figures = JSON.parse(text("figures"));
  const packed = Uint8Array.from(atob(text("plotly")), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(unpacked).text();
  document.head.append(script);

  // Colours follow the theme; paper is always light. In the dark a grey is inverted, and what is too dark becomes lighter.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const light = (rgb) => rgb.map((v) => (v / 255) ** 2.2).reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  const ENOUGH = 0.14; // relative luminance that stands 3 : 1 out of the dark paper
  function inTheDark(colour) {
    if (!/^#[0-9a-f]{6}$/i.test(colour)) return colour;
    let rgb = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
    if (rgb.every((v) => v === rgb[0])) rgb = rgb.map((v) => 255 - v);
    while (light(rgb) < ENOUGH) rgb = rgb.map((v) => Math.min(255, v + 8));
    return `rgb(${rgb})`;
  }
  function painted(figure, printing) {
    const { data, layout } = structuredClone(figure);
    const night = dark.matches && !printing;
    const [ink, line] = night ? ["#e4e7eb", "#3e4c59"] : ["#333", "#e4e7eb"];
    layout.font.color = ink;
    layout.uirevision = "kept"; // the zoom stays
    for (const axis of ["xaxis", "yaxis"]) layout[axis] = { ...layout[axis], gridcolor: line, zerolinecolor: line };
    for (const trace of night ? data.filter((each) => !["heatmap", "contour"].includes(each.type)) : []) {
      if (trace.fillcolor) trace.fillcolor = inTheDark(trace.fillcolor);
      for (const part of [trace.line, trace.marker]) if (part && part.color) part.color = inTheDark(part.color);
    }
    return [data, layout];
  }
  // Labels that would cover an earlier one, or leave the chart, are left out; zooming in brings them back.
  function declutter(chart) {
    const frame = chart.getBoundingClientRect();
    const taken = [];
    for (const label of chart.querySelectorAll(".annotation, .textpoint")) {
      const box = label.getBoundingClientRect();
      const covers = taken.some((other) => box.left < other.right && other.left < box.right && box.top < other.bottom - 3 && other.top < box.bottom - 3);
      const hides = covers || box.right > frame.right + 1 || box.left < frame.left - 1;
      label.style.visibility = hides ? "hidden" : "";
      if (!hides) taken.push(box);
    }
  }

  const options = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };
  const charts = [];
  for (const [id, figure] of Object.entries(figures)) {
    const chart = document.getElementById("chart-" + id);
    await Plotly.newPlot(chart, ...painted(figure, false), options);
    chart.on("plotly_afterplot", () => declutter(chart));
    declutter(chart);
    charts.push(chart);
  }

  let following = false;  // zooming one chart zooms all of them, once
  for (const chart of charts) {
    chart.on("plotly_relayout", async (change) => {
      const zoomed = Object.keys(change).some((key) => key.startsWith("xaxis."));
      if (following || !zoomed) return;
      following = true;
      const range = chart.layout.xaxis.range.slice();
      const others = charts.filter((other) => other !== chart);
      await Promise.all(others.map((other) => Plotly.relayout(other, { "xaxis.range": range.slice() })));
      following = false;
    });
  }
  const resize = () => charts.forEach((chart) => Plotly.Plots.resize(chart));
  const paint = (printing) => Promise.all(
    charts.map((chart) => Plotly.react(chart, ...painted(figures[chart.id.slice("chart-".length)], printing), options)),
  ).then(resize);
  dark.addEventListener("change", () => paint(false));
  window.addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details")) folded.open = true;
    paint(true);
  });
  window.addEventListener("afterprint", () => paint(false));
  document.documentElement.dataset.drawn = "yes";
})();
