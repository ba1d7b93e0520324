// What the server sends as HTML is made by templates that escape every key and error. What is made
// here goes in as text.
document.documentElement.classList.add("js");
const byId = (id) => document.getElementById(id);
const list = byId("items");
const entries = new Map(); // by the name of its execution: what is shown of an image
const MAX_SENDING = 3; // uploads at the same time

const make = (tag, parent, className = "", text = "") => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  parent?.append(made);
  return made;
};

function newEntry(name, since) {
  const row = make("li", null);
  const details = make("details", row);
  const entry = { name, row, details, summary: make("summary", details), body: make("div", details, "body"), since, group: "waiting" };
  details.addEventListener("toggle", () => load(entry));
  entry.body.addEventListener("click", (event) => event.target.matches(".retry") && retry(entry, event.target));
  return entry;
}

function place(entry) {
  const next = [...list.children].find((row) => Number(row.dataset.since) < entry.since);
  entry.row.dataset.since = entry.since;
  list.insertBefore(entry.row, next ?? null);
}

// Fetches what is below the summary, once at a time and again if there was news meanwhile.
async function load(entry) {
  if (!entry.details.open || !entry.name) return;
  if (entry.loading) { entry.again = true; return; }
  entry.loading = true;
  try {
    do {
      entry.again = false;
      const answer = await fetch(`items/${encodeURIComponent(entry.name)}`);
      if (answer.ok) fill(entry.body, await answer.text());
    } while (entry.again);
    const pictures = entry.body.querySelector("[data-pending]"); // S3 takes longer than the rest
    if (pictures) {
      const answer = await fetch(`pictures/${encodeURIComponent(entry.name)}`);
      if (answer.ok) fill(pictures, await answer.text());
    }
  } catch { /* the server has ended; the page says so */ }
  entry.loading = false;
}

function fill(place, html) {
  const inside = place.contains(document.activeElement) && document.activeElement;
  const index = inside && [...place.querySelectorAll("a, button")].indexOf(inside);
  place.innerHTML = html;
  if (inside) place.querySelectorAll("a, button")[index]?.focus();
}

function show(news) {
  const all = new Set(news.items.map((item) => item.name));
  for (const [name, entry] of entries) {
    if (news.gone.includes(name) || (news.all && !all.has(name))) { entry.row.remove(); entries.delete(name); }
  }
  const ended = [];
  for (const item of news.items) {
    let entry = entries.get(item.name);
    if (!entry) {
      entry = newEntry(item.name, item.since);
      entries.set(item.name, entry);
    }
    if (!news.all && entry.group !== item.group && ["done", "failed"].includes(item.group)) ended.push(entry);
    entry.group = item.group;
    fill(entry.summary, item.html);
    load(entry);
  }
  if (ended.length) byId("status").textContent = ended.map(spoken).join(". ");
  for (const [name, count] of Object.entries(news.counts)) byId(`count-${name}`).textContent = count ?? "–";
  problem(news.problem);
  placeNew();
  filter();
}

// The server may send news of an upload before it answers: the upload's row is its only one.
function placeNew() {
  const uploading = new Set([...waiting].filter((entry) => entry.group === "waiting").map(keyOf));
  for (const entry of entries.values()) {
    if (!entry.row.isConnected && !uploading.has(keyOf(entry))) place(entry);
  }
}

const keyOf = (entry) => entry.summary.querySelector(".key").textContent;
const spoken = (entry) => `${keyOf(entry)}: ${entry.summary.querySelector(".pill").lastChild.textContent}`;

function problem(sentence) {
  byId("problem").hidden = !sentence;
  byId("problem").textContent = sentence ?? "";
}

function filter() {
  const group = document.querySelector("input[name=group]:checked").value;
  const words = byId("find").value.trim().toLowerCase();
  const placed = [...entries.values(), ...waiting].filter((entry) => entry.row.isConnected);
  let count = 0;
  for (const entry of placed) {
    entry.row.hidden = (group && entry.group !== group) || (words && !entry.summary.textContent.toLowerCase().includes(words));
    count += !entry.row.hidden;
  }
  byId("shown").textContent = placed.length ? `${count} of ${placed.length} images, the newest first.` : "There are no executions yet.";
}

const waiting = new Set(); // uploads that are not finished
const queue = [];
let sending = 0;

function upload(files) {
  for (const file of files) {
    const entry = newEntry("", Date.now() / 1000);
    entry.file = file;
    make("span", entry.summary, "pill none", "uploading");
    make("strong", entry.summary, "key", file.name);
    entry.bar = make("progress", entry.summary);
    entry.bar.setAttribute("aria-label", `Upload of ${file.name}`);
    entry.body.append(byId("planned").content.cloneNode(true));
    entry.details.open = true;
    waiting.add(entry);
    place(entry);
    queue.push(entry);
  }
  filter();
  next();
}

function next() {
  while (sending < MAX_SENDING && queue.length) {
    sending += 1;
    send(queue.shift());
  }
}

function send(entry) {
  const request = new XMLHttpRequest(); // fetch does not report how much was sent
  request.open("POST", `images?key=${encodeURIComponent(entry.file.name)}`);
  request.setRequestHeader("Content-Type", entry.file.type || "application/octet-stream");
  request.upload.onprogress = (event) => { entry.bar.value = event.loaded / event.total; };
  request.onloadend = () => {
    sending -= 1;
    next();
    if (request.status === 200) sent(entry, request.responseText);
    else failed(entry, request.responseText || "The server of this page does not answer.");
  };
  request.send(entry.file);
}

function sent(entry, name) {
  waiting.delete(entry);
  const known = entries.get(name);
  entry.name = name;
  entries.set(name, entry);
  if (known) {
    entry.group = known.group;
    entry.summary.replaceChildren(...known.summary.childNodes);
  }
  load(entry);
  placeNew();
  filter();
}

function failed(entry, sentence) {
  entry.group = "failed";
  entry.bar.remove();
  entry.summary.querySelector(".pill").className = "pill bad";
  entry.summary.querySelector(".pill").textContent = "✕ not uploaded";
  entry.body.replaceChildren();
  make("p", entry.body, "error", sentence);
  make("button", entry.body, "", `Upload ${entry.file.name} again`).addEventListener("click", () => {
    waiting.delete(entry);
    entry.row.remove();
    upload([entry.file]);
  });
  byId("status").textContent = `${entry.file.name}: not uploaded. ${sentence}`;
  placeNew();
  filter();
}

async function retry(entry, button) {
  button.disabled = true;
  let outcome = "The server of this page does not answer.";
  try {
    const answer = await fetch(`retry/${encodeURIComponent(entry.name)}`, { method: "POST" });
    outcome = await answer.text();
  } catch { /* the outcome above */ }
  byId("status").textContent = outcome;
  make("p", entry.body, "muted", outcome);
}

byId("files").addEventListener("change", (event) => { upload(event.target.files); event.target.value = ""; });
document.querySelectorAll("input[name=group]").forEach((input) => input.addEventListener("change", filter));
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
