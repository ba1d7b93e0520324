(() => {
  const body = document.querySelector(".runs tbody");
  const rows = [...body.rows];
  const find = document.getElementById("find");
  const shown = document.getElementById("shown");
  const filter = () => {
    const kind = document.querySelector("input[name=kind]:checked").value;
    const words = find.value.trim().toLowerCase();
    let count = 0;
    rows.forEach((row) => {
      row.hidden = (kind && row.dataset.kind !== kind) || !row.textContent.toLowerCase().includes(words);
      count += !row.hidden;
    });
    shown.textContent = `${count} of ${rows.length} executions`;
  };
  document.querySelectorAll("input[name=kind]").forEach((input) => input.addEventListener("change", filter));
  find.addEventListener("input", filter);
  document.querySelectorAll("th button").forEach((button) => button.addEventListener("click", () => {
    const head = button.closest("th");
    const name = button.dataset.sort;
    const down = head.getAttribute("aria-sort") === "ascending" || (!head.hasAttribute("aria-sort") && name !== "key");
    document.querySelectorAll("th[aria-sort]").forEach((sorted) => sorted.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => (name === "key" ? row.dataset.key : Number(row.dataset[name]));
    const sign = down ? -1 : 1;
    rows.sort((a, b) => sign * (value(a) > value(b) ? 1 : value(a) < value(b) ? -1 : 0));
    body.append(...rows);
  }));
})();
