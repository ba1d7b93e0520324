(() => {
  const nodes = [...document.querySelectorAll(".graph a[data-state]")];
  const states = [...document.querySelectorAll(".about")];
  const select = (name, { scroll = false } = {}) => {
    const selected = states.find((state) => state.dataset.state === name);
    if (!selected) return;
    states.forEach((state) => state.classList.toggle("selected", state === selected));
    nodes.forEach((node) => {
      if (node.dataset.state === name) node.setAttribute("aria-current", "true");
      else node.removeAttribute("aria-current");
    });
    // Where the details stand below the graph, a click must show that something happened.
    if (scroll && selected.getBoundingClientRect().top > innerHeight * 0.7) selected.scrollIntoView({ block: "start" });
  };
  nodes.forEach((node) => node.addEventListener("click", (event) => {
    event.preventDefault();
    select(node.dataset.state, { scroll: true });
    history.replaceState(null, "", node.getAttribute("href"));
  }));
  const byHash = () => select(nodes.find((node) => node.getAttribute("href") === location.hash)?.dataset.state);
  addEventListener("hashchange", byHash);
  select(document.querySelector(".about.selected").dataset.state);
  byHash();
})();
