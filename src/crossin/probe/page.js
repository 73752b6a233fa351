"use strict";
/* Texts reach the page only through plotly's own labels, which hold language codes; nothing here reads HTML. */
(() => {
  const plots = JSON.parse(document.getElementById("plot-data").textContent);

  function themed(plot) {
    const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
    const layout = structuredClone(plot.layout);
    Object.assign(layout, {
      height: 380,
      margin: { l: 58, r: 16, t: 30, b: 44 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "system-ui, sans-serif", size: 13, color: colour("--ink") },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
      showlegend: true,
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--soft"), activecolor: colour("--ink") },
    });
    for (const name of ["xaxis", "yaxis"]) {
      Object.assign(layout[name], { gridcolor: colour("--line"), zerolinecolor: colour("--soft"), linecolor: colour("--line"), automargin: true });
    }
    return layout;
  }

  function draw() {
    for (const plot of plots) {
      Plotly.react(`plot-${plot.id}`, structuredClone(plot.data), themed(plot), { responsive: true, displaylogo: false, modeBarButtons: [["toImage", "resetScale2d"]] });
    }
  }

  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
