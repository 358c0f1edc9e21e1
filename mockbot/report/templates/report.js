"use strict";
(async () => {
  const text = (id) => document.getElementById(id).textContent;
  const figures = JSON.parse(text("figures"));
  const packed = Uint8Array.from(atob(text("plotly")), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(unpacked).text();
  document.head.append(script);

  const options = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };
  const charts = [];
  for (const [id, figure] of Object.entries(figures)) {
    const chart = document.getElementById("chart-" + id);
    await Plotly.newPlot(chart, figure.data, figure.layout, options);
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
  window.addEventListener("beforeprint", resize);
  window.addEventListener("afterprint", resize);
  document.documentElement.dataset.drawn = "yes";
})();
