// Language, theme, links into the explorer, printing.

const root = document.documentElement;
let language = settings.language;

function say(sentence, values = {}) {
  const found = settings.words[language][sentence];
  const text = found === undefined ? sentence.replace(/^(outcome|class):/, "").replaceAll("_", " ") : found;
  const filled = text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
  return filled.replace(/(?<![\w.,@-])1 (\p{L}+)/gu, (whole, noun) => (settings.one[language][noun] ? `1 ${settings.one[language][noun]}` : whole));
}

function remembered(name, value) {
  try { // a page opened from a file may have no storage
    if (value === undefined) return localStorage.getItem("paretune-" + name);
    localStorage.setItem("paretune-" + name, value);
  } catch { /* the choice then lasts as long as the page */ }
  return null;
}

function setLanguage(chosen) {
  language = chosen;
  root.lang = chosen;
  for (const view of document.querySelectorAll(".view")) view.hidden = view.dataset.language !== chosen;
  for (const button of document.querySelectorAll("[data-set-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.setLanguage === chosen));
  }
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  labelTheme();
  markScrolling();
  explorer.draw();
}

// What does not overflow needs no stop of the keyboard; what is drawn wider than the screen does.
function markScrolling(within = document) {
  const boxes = [...within.querySelectorAll(".scrolls, .plot")];
  const overflow = boxes.map((box) => box.scrollWidth > box.clientWidth + 1); // read all before the first is changed
  boxes.forEach((box, at) => {
    if (overflow[at]) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  });
}

function isDark() {
  const chosen = root.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function labelTheme() {
  document.getElementById("theme").textContent = say(isDark() ? "Light" : "Dark");
}

function setTheme(chosen) {
  root.dataset.theme = chosen;
  labelTheme();
}

// The first screen with another budget: everything was written when the page was made, so nothing is decided here.
function withBudget(view, at) {
  const budgets = settings.budgets[view.dataset.language], within = budgets[at];
  for (const part of view.querySelectorAll(".first [data-part]")) {
    const content = within[part.dataset.part];
    if (["headline", "explored", "loss-head"].includes(part.dataset.part)) part.textContent = content;
    else part.innerHTML = content;
  }
  view.querySelectorAll(".tradeoff svg").forEach((svg, narrow) => {
    const box = svg.querySelector(".budget"), area = box.querySelector("rect"), words = box.querySelector("text"), y = within.line[narrow];
    const bottom = Number(area.getAttribute("y")) + Number(area.getAttribute("height"));
    area.setAttribute("y", y);
    area.setAttribute("height", bottom - y);
    for (const end of ["y1", "y2"]) box.querySelector("line").setAttribute(end, y);
    words.textContent = within.beyond;
    for (const point of svg.querySelectorAll(".point")) point.classList.toggle("picked", point.dataset.unit === within.pick);
  });
  const slider = view.querySelector(".slider input");
  slider.value = at;
  slider.setAttribute("aria-valuetext", within.said);
  view.querySelector(".slider output").textContent = within.said;
  view.querySelector(".as-stated").disabled = !within.explored;
  markScrolling();
}

// Pointing at a variant, in the plot or in the table, marks it in both; the plot says its figures.
function pointAt(view, key, place, told) {
  for (const element of view.querySelectorAll(".first [data-unit]")) element.classList.toggle("near", element.dataset.unit === key);
  view.querySelector(".tradeoff")?.classList.toggle("pointed", Boolean(key));
  document.querySelector(".told")?.remove();
  if (!key || !told) return;
  const box = make("div", { class: "told", "aria-hidden": "true" }, told);
  document.body.append(box);
  const left = Math.min(place.left + scrollX, scrollX + root.clientWidth - box.offsetWidth - 8);
  box.style.left = `${Math.max(8, left)}px`;
  box.style.top = `${place.top + scrollY - box.offsetHeight - 8}px`;
}

for (const view of document.querySelectorAll(".view")) {
  const first = view.querySelector(".first"), slider = first.querySelector(".slider");
  if (!slider) continue;
  slider.hidden = false;
  const stated = Number(slider.querySelector("input").value);
  slider.querySelector("input").addEventListener("input", (event) => withBudget(view, Number(event.target.value)));
  first.addEventListener("click", (event) => {
    const allow = event.target.closest("[data-allow]");
    if (allow) { withBudget(view, Number(allow.dataset.allow)); slider.querySelector("input").focus(); }
    if (event.target.closest(".as-stated")) withBudget(view, stated);
  });
  for (const kind of ["pointerover", "focusin"]) first.addEventListener(kind, (event) => {
    const element = event.target.closest("[data-unit]"), point = element?.closest(".point");
    pointAt(view, element?.dataset.unit, point?.getBoundingClientRect(), point?.dataset.told);
  });
  for (const kind of ["pointerleave", "focusout"]) first.addEventListener(kind, () => pointAt(view, undefined));
}

// A link into the explorer: its rows are drawn first, then the page scrolls there. Any other place leaves no filters.
async function followHash() {
  const [place, filters] = location.hash.slice(1).split("?");
  if (place !== "explorer" || filters === undefined) {
    if (place !== "explorer" && followed) explorer.show({});
    followed = false;
    return;
  }
  followed = true;
  const section = document.getElementById("explorer");
  section.scrollIntoView();
  await explorer.show(Object.fromEntries(new URLSearchParams(filters)));
  section.scrollIntoView();
  if (!document.querySelector("dialog[open]")) section.focus({ preventScroll: true });
}
let followed = false;

// Tables are sorted by the head that is clicked: figures by their first number, words by their letters. A row of changes
// stays under its variant.
function sortTable(table, at, descending) {
  const body = table.tBodies[0], blocks = [];
  for (const row of body.rows) {
    if (row.classList.contains("change") && blocks.length) blocks.at(-1).push(row);
    else blocks.push([row]);
  }
  const value = ([row]) => {
    const text = row.cells[at]?.textContent.trim() ?? "", mark = settings.decimal_marks[language];
    const number = text.replace("−", "-").replace(mark, ".").match(/^<?\s*([+-]?\d+(?:\.\d+)?)/);
    return number ? Number(number[1]) : text ? text.toLowerCase() : null;
  };
  const compare = (one, two) => (typeof one === typeof two ? (one < two ? -1 : one > two ? 1 : 0) : typeof one === "number" ? -1 : 1);
  const keyed = blocks.map((block) => [value(block), block]);
  const known = keyed.filter(([key]) => key !== null).sort((one, two) => (descending ? -1 : 1) * compare(one[0], two[0]));
  body.append(...[...known, ...keyed.filter(([key]) => key === null)].flatMap(([, block]) => block));
  for (const head of table.tHead.rows[0].cells) head.removeAttribute("aria-sort");
  table.tHead.rows[0].cells[at].setAttribute("aria-sort", descending ? "descending" : "ascending");
}

for (const table of document.querySelectorAll("table.sortable")) {
  if (table.tBodies[0].rows.length < 3) continue;
  for (const [at, head] of [...table.tHead.rows[0].cells].entries()) {
    if (!head.textContent) continue;
    head.replaceChildren(make("button", { type: "button", onclick: () => {
      const figures = at > 0 && !head.classList.contains("words");
      sortTable(table, at, head.hasAttribute("aria-sort") ? head.getAttribute("aria-sort") === "ascending" : figures);
    } }, ...head.childNodes));
  }
}

for (const line of document.querySelectorAll(".card-line")) {
  line.hidden = false;
  const button = line.querySelector("button"), words = button.textContent;
  button.addEventListener("click", async () => {
    const text = button.classList.contains("copy-plain") ? line.nextElementSibling.textContent : settings.cards[language];
    button.textContent = say(await copied(text) ? "Copied" : "Not copied");
    setTimeout(() => { button.textContent = words; }, 1500);
  });
}

// A table to carry away: the words of its cells, as a file for spreadsheets or as Markdown on the clipboard.
function cellsOf(table) {
  return [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim().replace(/\s+/g, " ")));
}

for (const place of document.querySelectorAll(".carry")) {
  place.hidden = false;
  place.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-carry]"), box = place.parentElement.nextElementSibling, rows = cellsOf(box.querySelector("table"));
    if (!button) return;
    if (button.dataset.carry === "csv") {
      const quoted = (cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
      download(`${settings.experiment}-${box.getAttribute("aria-label")}`.replace(/[^\p{L}\d.@-]+/gu, "-").slice(0, 80) + ".csv",
        rows.map((cells) => `${cells.map(quoted).join(",")}\r\n`).join(""), "text/csv");
      return;
    }
    const line = (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
    const words = button.textContent;
    button.textContent = say(await copied([line(rows[0]), line(rows[0].map((_, at) => (at ? "--:" : ":--"))), ...rows.slice(1).map(line)].join("\n") + "\n") ? "Copied" : "Not copied");
    setTimeout(() => { button.textContent = words; }, 1500);
  });
}

for (const button of document.querySelectorAll("[data-set-language]")) {
  button.addEventListener("click", () => {
    setLanguage(button.dataset.setLanguage);
    remembered("language", language);
  });
}
document.getElementById("theme").addEventListener("click", () => {
  setTheme(isDark() ? "light" : "dark");
  remembered("theme", root.dataset.theme);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", labelTheme);

// Paper has no clicks: what is short is opened, what is long stays folded as on the screen.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll(".audit details:not([open]), .rests:not([open]), .why details:not([open])")];
  for (const element of opened) element.open = true;
});
addEventListener("afterprint", () => {
  for (const element of opened) element.open = false;
});

const explorer = makeExplorer(document.getElementById("explorer-body"), document.getElementById("question"));
if (["light", "dark"].includes(remembered("theme"))) root.dataset.theme = remembered("theme");
setLanguage(remembered("language") in settings.words ? remembered("language") : language);
addEventListener("hashchange", followHash);
addEventListener("resize", () => markScrolling());
addEventListener("toggle", () => markScrolling(), true); // a closed part has no width yet
// The same link again changes nothing in the address, so it is followed here.
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#explorer?"]');
  if (link && link.hash === location.hash) followHash();
});
followHash();
