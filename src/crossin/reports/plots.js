"use strict";
/* The page's plots, in the colours of the reader's theme. Texts reach them only through plotly's own labels. */
(() => {
  const plots = JSON.parse(document.getElementById("plot-data").textContent);

  function themed(plot) {
    const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
    const layout = structuredClone(plot.layout);
    const many = plot.data.filter((trace) => trace.showlegend !== false).length > 1;
    Object.assign(layout, {
      height: plot.height || 380,
      margin: { l: 58, r: 16, t: 30, b: 44 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "system-ui, sans-serif", size: 13, color: colour("--ink") },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
      showlegend: many,
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--soft"), activecolor: colour("--ink") },
      hoverlabel: { font: { family: "system-ui, sans-serif" } },
    });
    for (const name of ["xaxis", "yaxis"]) {
      const axis = layout[name];
      Object.assign(axis, { gridcolor: colour("--line"), zerolinecolor: colour("--soft"), linecolor: colour("--line"), zeroline: Boolean(axis.zeroline), automargin: true });
      if (axis.title) Object.assign(axis.title, { font: { size: 13 }, standoff: 8 });
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
