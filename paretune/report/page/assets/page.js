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
function markScrolling() {
  for (const element of document.querySelectorAll(".scrolls, .plot")) {
    if (element.scrollWidth > element.clientWidth + 1) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
  }
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

function followHash() {
  const [place, filters] = location.hash.slice(1).split("?");
  if (place !== "explorer" || filters === undefined) return;
  explorer.show(Object.fromEntries(new URLSearchParams(filters)));
  const section = document.getElementById("explorer");
  section.scrollIntoView();
  section.focus({ preventScroll: true });
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
  opened = [...document.querySelectorAll(".audit details:not([open]), .facts details:not([open])")];
  for (const element of opened) element.open = true;
});
addEventListener("afterprint", () => {
  for (const element of opened) element.open = false;
});

const explorer = makeExplorer(document.getElementById("explorer-body"), document.getElementById("question"));
if (["light", "dark"].includes(remembered("theme"))) root.dataset.theme = remembered("theme");
setLanguage(remembered("language") in settings.words ? remembered("language") : language);
addEventListener("hashchange", followHash);
addEventListener("resize", markScrolling);
addEventListener("toggle", markScrolling, true); // a closed part has no width yet
// The same link again changes nothing in the address, so it is followed here.
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#explorer?"]');
  if (link && link.hash === location.hash) followHash();
});
followHash();
