// What the server sends as HTML is made by templates that escape every key and error. What is made
// here goes in as text.
document.documentElement.classList.add("js");
const byId = (id) => document.getElementById(id);
const list = byId("items");
const known = new Map(); // by the name of its execution: what is shown of an image
const AT_A_TIME = 3; // uploads

const make = (tag, parent, className = "", text = "") => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  parent?.append(made);
  return made;
};

function entry(name, since) {
  const row = make("li", null);
  const details = make("details", row);
  const one = { name, row, details, summary: make("summary", details), body: make("div", details, "body"), since, group: "waiting" };
  details.addEventListener("toggle", () => load(one));
  one.body.addEventListener("click", (event) => event.target.matches(".retry") && retry(one, event.target));
  return one;
}

function place(one) {
  const next = [...list.children].find((row) => Number(row.dataset.since) < one.since);
  one.row.dataset.since = one.since;
  list.insertBefore(one.row, next ?? null);
}

// Fetches what is below the summary, once at a time and again if there was news meanwhile.
async function load(one) {
  if (!one.details.open || !one.name) return;
  if (one.loading) { one.again = true; return; }
  one.loading = true;
  try {
    do {
      one.again = false;
      const answer = await fetch(`items/${encodeURIComponent(one.name)}`);
      if (answer.ok) fill(one.body, await answer.text());
    } while (one.again);
    const pictures = one.body.querySelector("[data-pending]"); // S3 takes longer than the rest
    if (pictures) {
      const answer = await fetch(`pictures/${encodeURIComponent(one.name)}`);
      if (answer.ok) fill(pictures, await answer.text());
    }
  } catch { /* the server has ended; the page says so */ }
  one.loading = false;
}

function fill(place, html) {
  const inside = place.contains(document.activeElement) && document.activeElement;
  const which = inside && [...place.querySelectorAll("a, button")].indexOf(inside);
  place.innerHTML = html;
  if (inside) place.querySelectorAll("a, button")[which]?.focus();
}

function show(news) {
  const all = new Set(news.items.map((item) => item.name));
  for (const [name, one] of known) {
    if (news.gone.includes(name) || (news.all && !all.has(name))) { one.row.remove(); known.delete(name); }
  }
  const said = [];
  for (const item of news.items) {
    let one = known.get(item.name);
    if (!one) {
      one = entry(item.name, item.since);
      known.set(item.name, one);
      place(one);
    }
    if (!news.all && one.group !== item.group && ["done", "failed"].includes(item.group)) said.push(one);
    one.group = item.group;
    fill(one.summary, item.html);
    load(one);
  }
  if (said.length) byId("status").textContent = said.map(spoken).join(". ");
  for (const [name, count] of Object.entries(news.counts)) byId(`count-${name}`).textContent = count ?? "–";
  problem(news.problem);
  filter();
}

const spoken = (one) => `${one.summary.querySelector(".key").textContent}: ${one.summary.querySelector(".pill").lastChild.textContent}`;

function problem(sentence) {
  byId("problem").hidden = !sentence;
  byId("problem").textContent = sentence ?? "";
}

function filter() {
  const group = document.querySelector("input[name=group]:checked").value;
  const words = byId("find").value.trim().toLowerCase();
  let count = 0;
  for (const one of [...known.values(), ...waiting]) {
    one.row.hidden = (group && one.group !== group) || (words && !one.summary.textContent.toLowerCase().includes(words));
    count += !one.row.hidden;
  }
  const total = known.size + waiting.size;
  byId("shown").textContent = total ? `${count} of ${total} images, the newest first.` : "There are no executions yet.";
}

const waiting = new Set(); // uploads that are not finished
const queue = [];
let sending = 0;

function upload(files) {
  for (const file of files) {
    const one = entry("", Date.now() / 1000);
    one.file = file;
    make("span", one.summary, "pill none", "uploading");
    make("strong", one.summary, "key", file.name);
    one.bar = make("progress", one.summary);
    one.bar.setAttribute("aria-label", `Upload of ${file.name}`);
    one.body.append(byId("planned").content.cloneNode(true));
    one.details.open = true;
    waiting.add(one);
    place(one);
    queue.push(one);
  }
  filter();
  next();
}

function next() {
  while (sending < AT_A_TIME && queue.length) {
    sending += 1;
    send(queue.shift());
  }
}

function send(one) {
  const request = new XMLHttpRequest(); // fetch does not report how much was sent
  request.open("POST", `images?key=${encodeURIComponent(one.file.name)}`);
  request.setRequestHeader("Content-Type", one.file.type || "application/octet-stream");
  request.upload.onprogress = (event) => { one.bar.value = event.loaded / event.total; };
  request.onloadend = () => {
    sending -= 1;
    next();
    if (request.status === 200) sent(one, request.responseText);
    else failed(one, request.responseText || "The server of this page does not answer.");
  };
  request.send(one.file);
}

// The server may have told of it before it answered.
function sent(one, name) {
  waiting.delete(one);
  const told = known.get(name);
  one.name = name;
  known.set(name, one);
  if (told) {
    one.group = told.group;
    one.summary.replaceChildren(...told.summary.childNodes);
    told.row.remove();
  }
  load(one);
  filter();
}

function failed(one, sentence) {
  one.group = "failed";
  one.bar.remove();
  one.summary.querySelector(".pill").className = "pill bad";
  one.summary.querySelector(".pill").textContent = "✕ not uploaded";
  one.body.replaceChildren();
  make("p", one.body, "error", sentence);
  make("button", one.body, "", `Upload ${one.file.name} again`).addEventListener("click", () => {
    waiting.delete(one);
    one.row.remove();
    upload([one.file]);
  });
  byId("status").textContent = `${one.file.name}: not uploaded. ${sentence}`;
  filter();
}

async function retry(one, button) {
  button.disabled = true;
  let said = "The server of this page does not answer.";
  try {
    const answer = await fetch(`retry/${encodeURIComponent(one.name)}`, { method: "POST" });
    said = await answer.text();
  } catch { /* said above */ }
  byId("status").textContent = said;
  make("p", one.body, "muted", said);
}

byId("files").addEventListener("change", (event) => { upload(event.target.files); event.target.value = ""; });
document.querySelectorAll("input[name=group]").forEach((one) => one.addEventListener("change", filter));
byId("find").addEventListener("input", filter);
for (const [kind, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    byId("drop").classList.toggle("over", over);
    if (kind === "drop") upload(event.dataTransfer.files);
  });
}
const events = new EventSource("news");
events.onmessage = (event) => show(JSON.parse(event.data));
events.onerror = () => problem("The server of this page does not answer. It has ended, or it will be back in a moment.");
