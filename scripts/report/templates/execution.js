(() => {
  const nodes = [...document.querySelectorAll(".graph a[data-state]")];
  const states = [...document.querySelectorAll(".about")];
  const choose = (name, { scroll = false } = {}) => {
    const state = states.find((one) => one.dataset.state === name);
    if (!state) return;
    states.forEach((one) => one.classList.toggle("chosen", one === state));
    nodes.forEach((node) => {
      if (node.dataset.state === name) node.setAttribute("aria-current", "true");
      else node.removeAttribute("aria-current");
    });
    // Where the details stand below the graph, a click must show that something happened.
    if (scroll && state.getBoundingClientRect().top > innerHeight * 0.7) state.scrollIntoView({ block: "start" });
  };
  nodes.forEach((node) => node.addEventListener("click", (event) => {
    event.preventDefault();
    choose(node.dataset.state, { scroll: true });
    history.replaceState(null, "", node.getAttribute("href"));
  }));
  const byHash = () => choose(nodes.find((node) => node.getAttribute("href") === location.hash)?.dataset.state);
  addEventListener("hashchange", byHash);
  choose(document.querySelector(".about.chosen").dataset.state);
  byHash();
})();
