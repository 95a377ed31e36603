"use strict";
(() => {
  const numbers = JSON.parse(document.getElementById("numbers").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const byId = (id) => document.getElementById(id);

  const addNode = (parent, name, attributes, text) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    parent.appendChild(node);
    return node;
  };

  /* A number with three significant digits. */
  const asText = (value, digits = 3) => {
    if (value === null || !isFinite(value)) return "";
    if (value === 0) return "0";
    const whole = Math.floor(Math.log10(Math.abs(value)));
    const places = Math.min(8, Math.max(0, digits - 1 - whole));
    return value.toLocaleString("en-US", { maximumFractionDigits: places });
  };

  /* The value under the pointer. */
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "status");
  document.body.appendChild(tip);

  const showTip = (event, text) => {
    tip.textContent = text;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = Math.min(event.clientX + 12, innerWidth - box.width - 4);
    tip.style.left = Math.max(4, left) + "px";
    tip.style.top = Math.max(4, event.clientY - box.height - 10) + "px";
  };

  const addTip = (element, textAt) => {
    element.addEventListener("pointermove", (event) => showTip(event, textAt(event)));
    element.addEventListener("pointerleave", () => { tip.hidden = true; });
  };

  /* Tables that sort. Missing numbers come last; rows that are equal keep their order. */
  const compareNumbers = (a, b, direction) => {
    if (isNaN(a) || isNaN(b)) return isNaN(a) - isNaN(b);
    return direction * (a - b);
  };

  const sortTable = (table, column, ascending) => {
    const direction = ascending ? 1 : -1;
    const numeric = table.tHead.rows[0].cells[column].classList.contains("n");
    const rows = [...table.tBodies[0].rows].map((row, position) => {
      const cell = row.cells[column];
      const key = cell.dataset.v ?? cell.textContent;
      return { row, position, key: numeric ? parseFloat(key) : key };
    });
    rows.sort((a, b) => {
      const order = numeric
        ? compareNumbers(a.key, b.key, direction)
        : direction * a.key.localeCompare(b.key, "en");
      return order || a.position - b.position;
    });
    table.tBodies[0].append(...rows.map((entry) => entry.row));
  };

  for (const table of document.querySelectorAll("table.sorts")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.querySelector("button").addEventListener("click", () => {
        const ascending = head.getAttribute("aria-sort") !== "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        sortTable(table, column, ascending);
      });
    });
  }

  /* Capacity in service: a case, a segment and a year of the reader's choice. */
  const capacity = numbers.capacity;
  if (capacity) {
    const { cells, reference, regions, colours, segments, years } = capacity;
    const lists = {
      cell: byId("choose-case"),
      segment: byId("choose-segment"),
      year: byId("choose-year"),
    };
    const lastYear = years.length - 1;

    /* Capacity in kwpm; a negative segment means all of them. */
    const capacityOf = (cell, segment, region, year) => {
      const chosen = segment < 0 ? segments.map((_, place) => place) : [segment];
      const parts = chosen.map((place) => capacity.values[cell][region][place][year]);
      return parts.reduce((sum, part) => sum + part, 0);
    };
    const worldCapacity = (cell, segment, year) =>
      regions.reduce((sum, _, region) => sum + capacityOf(cell, segment, region, year), 0);

    const newChart = (holder, height) => {
      holder.textContent = "";
      const width = Math.max(240, holder.clientWidth);
      const viewBox = `0 0 ${width} ${height}`;
      return [addNode(holder, "svg", { class: "chart", viewBox, role: "img" }), width];
    };

    const drawAreas = (cell, segment, year) => {
      const height = 300;
      const [svg, width] = newChart(byId("chart-years"), height);
      const margin = { left: 46, right: 8, top: 22, bottom: 24 };
      const plotWidth = width - margin.left - margin.right;
      const plotHeight = height - margin.top - margin.bottom;
      const sums = years.map((_, t) => worldCapacity(cell, segment, t));
      const top = Math.max(...sums) * 1.05 || 1;
      const x = (t) => margin.left + plotWidth * t / Math.max(1, lastYear);
      const y = (kwpm) => height - margin.bottom - plotHeight * kwpm / top;

      addNode(svg, "text", { x: 0, y: 12, class: "soft" }, "thousand wafers a month");
      const rough = top / 4.5, power = 10 ** Math.floor(Math.log10(rough));
      const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough);
      for (let kwpm = 0; kwpm <= top; kwpm += step) {
        const line = { x1: margin.left, x2: width - margin.right, y1: y(kwpm), y2: y(kwpm) };
        addNode(svg, "line", { ...line, class: "axis" });
        const label = { x: margin.left - 4, y: y(kwpm) + 4, "text-anchor": "end" };
        addNode(svg, "text", { ...label, class: "soft" }, asText(kwpm));
      }

      const yearAt = (event) => {
        const box = svg.getBoundingClientRect();
        const place = (event.clientX - box.left) / box.width * width;
        const t = Math.round((place - margin.left) / plotWidth * lastYear);
        return Math.max(0, Math.min(lastYear, t));
      };
      /* From the last region at the bottom to the first one at the top. */
      const stacked = years.map(() => 0);
      for (let region = regions.length - 1; region >= 0; region--) {
        const lower = stacked.map((kwpm, t) => `${x(t)},${y(kwpm)}`).reverse();
        years.forEach((_, t) => { stacked[t] += capacityOf(cell, segment, region, t); });
        const upper = stacked.map((kwpm, t) => `${x(t)},${y(kwpm)}`);
        const points = [...upper, ...lower].join(" ");
        const area = addNode(svg, "polygon", { points, fill: colours[region], class: "edge" });
        addTip(area, (event) => {
          const t = yearAt(event);
          const kwpm = capacityOf(cell, segment, region, t);
          const share = 100 * kwpm / (sums[t] || 1);
          return `${regions[region]}, ${years[t]}\n${asText(kwpm)} kwpm, ${asText(share)}% of the world`;
        });
      }

      const everyYears = Math.ceil(years.length / Math.min(6, width / 70));
      years.forEach((label, t) => {
        if (t % everyYears !== 0) return;
        let anchor = "middle";
        if (t === 0) anchor = "start";
        else if (t === lastYear) anchor = "end";
        const attributes = { x: x(t), y: height - 6, "text-anchor": anchor, class: "soft" };
        addNode(svg, "text", attributes, label);
      });
      const mark = { x1: x(year), x2: x(year), y1: margin.top, y2: height - margin.bottom };
      addNode(svg, "line", { ...mark, class: "mark", "stroke-dasharray": "3 3" });
      addNode(svg, "title", {}, `Capacity by region, ${cells[cell]}`);
    };

    const sharesOf = (cell, segment, year) => {
      const world = worldCapacity(cell, segment, year) || 1;
      return regions.map((_, region) => 100 * capacityOf(cell, segment, region, year) / world);
    };

    const drawBars = (cell, segment, year) => {
      const step = 38, top = 22;
      const height = top + step * regions.length + 4;
      const [svg, width] = newChart(byId("chart-shares"), height);
      const shares = sharesOf(cell, segment, year);
      const bases = sharesOf(reference[cell], segment, year);
      const largest = Math.max(...shares, ...bases) || 1;
      const x = (share) => (width - 96) * share / largest;

      const head = `share of the world in ${years[year]}; line: reference`;
      addNode(svg, "text", { x: 0, y: 12, class: "soft" }, head);
      regions.forEach((name, region) => {
        const y = top + step * region;
        const share = shares[region], base = bases[region], change = share - base;
        addNode(svg, "text", { x: 0, y: y + 12 }, name);
        const size = { x: 0, y: y + 16, width: Math.max(0.5, x(share)), height: 15 };
        const bar = addNode(svg, "rect", { ...size, fill: colours[region] });
        const line = { x1: x(base), x2: x(base), y1: y + 13, y2: y + 34 };
        addNode(svg, "line", { ...line, class: "mark" });
        let label = `${share.toFixed(1)}%`;
        if (Math.abs(change) >= 0.05) {
          label += ` (${change > 0 ? "+" : "\u2212"}${Math.abs(change).toFixed(1)})`;
        }
        addNode(svg, "text", { x: Math.max(x(share), x(base)) + 5, y: y + 28 }, label);
        const kwpm = asText(capacityOf(cell, segment, region, year));
        const percent = `${share.toFixed(2)}%, in the reference ${base.toFixed(2)}%`;
        addTip(bar, () => `${name}: ${kwpm} kwpm\n${percent}`);
      });
      addNode(svg, "title", {}, `Shares of capacity in ${years[year]}, ${cells[cell]}`);
    };

    const redraw = () => {
      const choice = [lists.cell, lists.segment, lists.year].map((list) => Number(list.value));
      drawAreas(...choice);
      drawBars(...choice);
    };
    for (const list of Object.values(lists)) list.addEventListener("input", redraw);
    let timer = 0;
    addEventListener("resize", () => { clearTimeout(timer); timer = setTimeout(redraw, 120); });
    redraw();
  }

  /* Two dials on a grid solved beforehand, with straight lines between its points. */
  const dials = numbers.dials;
  if (dials) {
    const sliders = [byId("dial-0"), byId("dial-1")];

    /* The interval of an axis that holds a value, and the place of the value in it. */
    const locate = (axis, value) => {
      let i = 0;
      while (i < axis.length - 2 && value > axis[i + 1]) i++;
      const place = (value - axis[i]) / (axis[i + 1] - axis[i]);
      return [i, Math.min(1, Math.max(0, place))];
    };

    const update = () => {
      const settings = sliders.map((slider) => Number(slider.value));
      const [i, s] = locate(dials.axes[0], settings[0]);
      const [j, t] = locate(dials.axes[1], settings[1]);
      settings.forEach((setting, k) => {
        byId(`dial-value-${k}`).textContent = asText(setting) + "%";
      });
      const solved = settings.every((setting, k) => dials.axes[k].includes(setting));
      byId("dial-note").textContent = solved
        ? "A point that was solved."
        : "Interpolated between points that were solved.";
      dials.values.forEach((grid, place) => {
        const low = (1 - t) * grid[i][j] + t * grid[i][j + 1];
        const high = (1 - t) * grid[i + 1][j] + t * grid[i + 1][j + 1];
        byId(`dial-number-${place}`).textContent = asText((1 - s) * low + s * high);
      });
    };
    for (const slider of sliders) slider.addEventListener("input", update);
    update();
  }

  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
})();
