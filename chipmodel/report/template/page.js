"use strict";
(() => {
  const numbers = JSON.parse(document.getElementById("numbers").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const node = (name, given, parent, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.appendChild(made);
    return made;
  };
  const shown = (x, digits = 3) => {
    if (x === null || !isFinite(x)) return "";
    if (x === 0) return "0";
    const places = Math.min(8, Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(x)))));
    return x.toLocaleString("en-US", { maximumFractionDigits: places });
  };

  /* what stands under the pointer */
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "status");
  document.body.appendChild(tip);
  const tell = (event, text) => {
    tip.textContent = text;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(event.clientX + 12, innerWidth - box.width - 4)) + "px";
    tip.style.top = Math.max(4, event.clientY - box.height - 10) + "px";
  };
  const told = (element, text) => {
    element.addEventListener("pointermove", (event) => tell(event, typeof text === "function" ? text(event) : text));
    element.addEventListener("pointerleave", () => { tip.hidden = true; });
  };

  /* tables that sort */
  for (const table of document.querySelectorAll("table.sorts")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, k) => head.querySelector("button").addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[k].dataset.v ?? row.cells[k].textContent;
      const numeric = head.classList.contains("n");
      const rows = [...table.tBodies[0].rows].map((row, i) => ({ row, i, key: numeric ? parseFloat(key(row)) : key(row) }));
      rows.sort((a, b) => {
        if (numeric && (isNaN(a.key) || isNaN(b.key))) return isNaN(a.key) - isNaN(b.key) || a.i - b.i;
        const way = numeric ? a.key - b.key : a.key.localeCompare(b.key, "en");
        return (up ? way : -way) || a.i - b.i;
      });
      table.tBodies[0].append(...rows.map((one) => one.row));
    }));
  }

  /* where capacity stands: a case, a segment and a year of the reader's choice */
  const capacity = numbers.capacity;
  if (capacity) {
    const at = (id) => document.getElementById(id);
    const choice = { cell: at("choose-case"), segment: at("choose-segment"), year: at("choose-year") };
    const values = (cell, segment, region, year) => {
      const which = segment < 0 ? capacity.segments.map((_, s) => s) : [segment];
      return which.reduce((sum, s) => sum + capacity.values[cell][region][s][year], 0);
    };
    const frame = (holder, height) => {
      holder.textContent = "";
      const wide = Math.max(240, holder.clientWidth);
      return [node("svg", { class: "chart", viewBox: `0 0 ${wide} ${height}`, role: "img" }, holder), wide];
    };
    const areas = (cell, segment, year) => {
      const high = 300;
      const [svg, wide] = frame(at("chart-years"), high);
      const [left, right, top, bottom] = [46, 8, 22, 24];
      const sums = capacity.years.map((_, t) => capacity.regions.reduce((sum, _, r) => sum + values(cell, segment, r, t), 0));
      const most = Math.max(...sums) * 1.05 || 1;
      const x = (t) => left + (wide - left - right) * t / Math.max(1, capacity.years.length - 1);
      const y = (v) => high - bottom - (high - top - bottom) * v / most;
      node("text", { x: 0, y: 12, class: "soft" }, svg, "thousand wafers a month");
      const rough = most / 4.5, ten = 10 ** Math.floor(Math.log10(rough));
      const step = ten * [1, 2, 2.5, 5, 10].find((one) => one * ten >= rough);
      for (let v = 0; v <= most; v += step) {
        node("line", { x1: left, x2: wide - right, y1: y(v), y2: y(v), class: "axis" }, svg);
        node("text", { x: left - 4, y: y(v) + 4, "text-anchor": "end", class: "soft" }, svg, shown(v));
      }
      const base = capacity.years.map(() => 0);
      for (let r = capacity.regions.length - 1; r >= 0; r--) {
        const low = [...base];
        capacity.years.forEach((_, t) => { base[t] += values(cell, segment, r, t); });
        const points = [...base.map((v, t) => `${x(t)},${y(v)}`), ...low.map((v, t) => `${x(t)},${y(v)}`).reverse()];
        const area = node("polygon", { points: points.join(" "), fill: capacity.colours[r], class: "edge" }, svg);
        told(area, (event) => {
          const box = svg.getBoundingClientRect();
          const place = (event.clientX - box.left) / box.width * wide;
          const t = Math.max(0, Math.min(capacity.years.length - 1, Math.round((place - left) / (wide - left - right) * (capacity.years.length - 1))));
          const v = values(cell, segment, r, t);
          return `${capacity.regions[r]}, ${capacity.years[t]}\n${shown(v)} kwpm, ${shown(100 * v / (sums[t] || 1))}% of the world`;
        });
      }
      capacity.years.forEach((one, t) => {
        if (t % Math.ceil(capacity.years.length / Math.min(6, wide / 70)) === 0) node("text", { x: x(t), y: high - 6, "text-anchor": t === 0 ? "start" : t === capacity.years.length - 1 ? "end" : "middle", class: "soft" }, svg, one);
      });
      node("line", { x1: x(year), x2: x(year), y1: top, y2: high - bottom, class: "mark", "stroke-dasharray": "3 3" }, svg);
      node("title", {}, svg, `Capacity by region, ${capacity.cells[cell]}`);
    };
    const bars = (cell, segment, year) => {
      const step = 38, top = 22;
      const [svg, wide] = frame(at("chart-shares"), top + step * capacity.regions.length + 4);
      const world = (c) => capacity.regions.reduce((sum, _, r) => sum + values(c, segment, r, year), 0) || 1;
      const ours = capacity.regions.map((_, r) => 100 * values(cell, segment, r, year) / world(cell));
      const theirs = capacity.regions.map((_, r) => 100 * values(capacity.reference[cell], segment, r, year) / world(capacity.reference[cell]));
      const most = Math.max(...ours, ...theirs) || 1;
      const x = (v) => (wide - 96) * v / most;
      node("text", { x: 0, y: 12, class: "soft" }, svg, `share of the world in ${capacity.years[year]}; line: reference`);
      capacity.regions.forEach((name, r) => {
        const y = top + step * r;
        node("text", { x: 0, y: y + 12 }, svg, name);
        const bar = node("rect", { x: 0, y: y + 16, width: Math.max(0.5, x(ours[r])), height: 15, fill: capacity.colours[r] }, svg);
        node("line", { x1: x(theirs[r]), x2: x(theirs[r]), y1: y + 13, y2: y + 34, class: "mark" }, svg);
        const change = ours[r] - theirs[r];
        const aside = Math.abs(change) >= 0.05 ? ` (${change > 0 ? "+" : "\u2212"}${Math.abs(change).toFixed(1)})` : "";
        node("text", { x: Math.max(x(ours[r]), x(theirs[r])) + 5, y: y + 28 }, svg, `${ours[r].toFixed(1)}%${aside}`);
        told(bar, `${name}: ${shown(values(cell, segment, r, year))} kwpm\n${ours[r].toFixed(2)}%, in the reference ${theirs[r].toFixed(2)}%`);
      });
      node("title", {}, svg, `Shares of capacity in ${capacity.years[year]}, ${capacity.cells[cell]}`);
    };
    const redraw = () => {
      const given = [choice.cell.value, choice.segment.value, choice.year.value].map(Number);
      areas(...given);
      bars(...given);
    };
    for (const one of Object.values(choice)) one.addEventListener("input", redraw);
    let wait = 0;
    addEventListener("resize", () => { clearTimeout(wait); wait = setTimeout(redraw, 120); });
    redraw();
  }

  /* two dials on a grid solved beforehand, straight lines in between */
  const dials = numbers.dials;
  if (dials) {
    const sliders = [0, 1].map((k) => document.getElementById(`dial-${k}`));
    const place = (axis, value) => {
      let i = 0;
      while (i < axis.length - 2 && value > axis[i + 1]) i++;
      return [i, Math.min(1, Math.max(0, (value - axis[i]) / (axis[i + 1] - axis[i])))];
    };
    const turn = () => {
      const [a, b] = sliders.map((one) => Number(one.value));
      const [i, s] = place(dials.axes[0], a), [j, t] = place(dials.axes[1], b);
      sliders.forEach((one, k) => { document.getElementById(`dial-value-${k}`).textContent = shown([a, b][k]) + "%"; });
      const exact = dials.axes[0].includes(a) && dials.axes[1].includes(b);
      document.getElementById("dial-note").textContent = exact ? "A point that was solved." : "Interpolated between points that were solved.";
      dials.names.forEach((_, m) => {
        const v = dials.values[m];
        const x = (1 - s) * ((1 - t) * v[i][j] + t * v[i][j + 1]) + s * ((1 - t) * v[i + 1][j] + t * v[i + 1][j + 1]);
        document.getElementById(`dial-number-${m}`).textContent = shown(x);
      });
    };
    sliders.forEach((one) => one.addEventListener("input", turn));
    turn();
  }

  addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details")) one.open = true; });
})();
