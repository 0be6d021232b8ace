// All questions of all variants: filters, a list in pages, and each question in full.

const settings = JSON.parse(document.getElementById("settings").textContent);
const PER_PAGE = 50;
const FLIPS = {
  gained: (before, after) => !before && after,
  lost: (before, after) => before && !after,
  changed: (before, after) => before !== after,
  kept: (before, after) => before && after,
  never: (before, after) => !before && !after,
};
const FLIP_WORDS = { gained: "newly right", lost: "no longer right", changed: "any change",
  kept: "right before and after", never: "wrong before and after" };

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

async function unpacked(id) {
  const text = atob(document.getElementById(id).textContent.trim());
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

const unique = (values) => [...new Set(values)];

// What the explorer needs to know of one axis: rows with `right` by variant, and which filters they have.
const TARGET = settings.target.axis;
const HAS_TARGET = Boolean(document.getElementById(`data-${TARGET}`)); // logs of others have none
const AXES = {
  [TARGET]: {
    rows(data) {
      return data.questions.map(([id, cluster, level, question, reference, beginning, rest], at) => {
        const answers = data.answers.map((column) => column[at]);
        return {
          title: `${id}`, group: cluster, level, question, reference, answers,
          prompt: () => data.beginnings[beginning] + rest,
          right: answers.map((answer) => answer[0] === "correct"),
          outcome: answers.map((answer) => answer[0]),
          error: answers.map((answer) => (answer[0] === "correct" ? null : answer[1] || "unclassified")),
          explained: (message) => data.wording[language]?.[message] || message,
          results: data.results && { reference: data.results.tables[data.results.gold[at]],
            answers: data.results.answers.map((column) => data.results.tables[column[at]]) },
          text: [question, reference, ...answers.map((answer) => answer[3])].join("\n").toLowerCase(),
        };
      });
    },
    groupWord: settings.target.cluster,
  },
  choice: {
    rows(data, state) {
      const columns = data.answers[state.method] || [];
      return data.questions.flatMap(([suite, id, subject, category, question, options, answer], at) => {
        const answers = columns.map((column) => column[at]);
        if (suite !== state.suite || !answers.some((given) => given)) return [];
        return [{
          title: id, group: subject, level: category, question, options, answer, answers,
          right: answers.map((given) => Boolean(given && given[0])),
          outcome: answers.map((given) => (given && given[0] ? "correct" : given && given[1] === null && state.method !== "logged" ? "no_answer" : "wrong")),
          error: answers.map(() => null),
          text: [question, ...options].join("\n").toLowerCase(),
        }];
      });
    },
    groupWord: "subject",
  },
};

function makeExplorer(body, dialog) {
  const blank = { axis: HAS_TARGET ? TARGET : "choice", variant: "", flip: "", outcome: "", level: "", group: "", error: "", text: "",
    suite: "", method: "", page: 0 };
  let state = { ...blank };
  const loaded = {};
  let rows = [], shown = [], rowsOf = "", open = -1, failed = false;
  const results = make("div", { id: "results" });
  const status = make("p", { role: "status", class: "found" });

  async function load(axis) {
    if (loaded[axis] || failed) return;
    status.textContent = say("Unpacking…");
    try { loaded[axis] = await unpacked(`data-${axis}`); } catch { failed = true; }
  }

  // Names in older or shorter links are other names of the same filters.
  function show(filters) {
    const { subject, category, [settings.target.cluster]: cluster, [settings.target.level]: level, ...rest } = filters;
    const known = Object.entries(rest).filter(([name]) => name in blank && name !== "page");
    state = { ...blank, ...Object.fromEntries(known), group: subject || cluster || filters.group || "",
      level: category || level || filters.level || "" };
    if (!(state.axis in AXES) || !HAS_TARGET) state.axis = blank.axis;
    draw();
  }

  async function draw() {
    const axis = state.axis;
    await load(axis);
    if (axis !== state.axis) return;
    if (failed) {
      body.replaceChildren(make("p", {}, say("This browser cannot unpack the answers; open the page in a newer one, or read the lines beside it.")));
      return;
    }
    settleSuite();
    const wanted = [axis, state.suite, state.method].join("\n");
    if (wanted !== rowsOf) { rows = AXES[axis].rows(loaded[axis], state); rowsOf = wanted; }
    const focused = body.contains(document.activeElement) ? document.activeElement.id : "";
    body.replaceChildren(tabs(), filterForm(), status, results);
    list();
    if (focused) document.getElementById(focused)?.focus();
    if (dialog.open) openQuestion(open);
  }

  function settleSuite() {
    if (state.axis !== "choice") return;
    const data = loaded.choice, suites = unique(data.questions.map((question) => question[0]));
    if (!suites.includes(state.suite)) state.suite = suites[0];
    const methods = methodsOf(state.suite);
    if (!methods.includes(state.method)) state.method = methods[0];
  }

  function methodsOf(suite) {
    const data = loaded.choice, at = data.questions.findIndex((question) => question[0] === suite);
    return Object.keys(data.answers).filter((method) => data.answers[method].some((column) => column[at]));
  }

  function tabs() {
    if (!HAS_TARGET) return "";
    const button = (axis, words) => make("button", { type: "button", "aria-pressed": String(state.axis === axis),
      id: `axis-${axis}`, onclick: () => { show({ axis }); } }, say(words));
    return make("div", { class: "tabs", role: "group" }, button(TARGET, "Target questions"), button("choice", "General questions"));
  }

  function choice(name, words, values, label = (value) => value) {
    const select = make("select", { id: `filter-${name}`, onchange: () => {
      state[name] = select.value;
      if (["suite", "method"].includes(name)) { state.group = state.level = ""; state.page = 0; draw(); } else refilter();
    } });
    if (!["suite", "method"].includes(name)) select.append(make("option", { value: "" }, say("any")));
    for (const value of values) select.append(make("option", { value }, label(value)));
    select.value = state[name];
    if (select.value !== state[name]) { state[name] = ""; select.value = ""; }
    return make("p", {}, make("label", { for: select.id }, say(words)), select);
  }

  function filterForm() {
    const data = loaded[state.axis], isTarget = state.axis === TARGET;
    const text = make("input", { id: "filter-text", type: "search", value: state.text, autocomplete: "off",
      oninput: () => { state.text = text.value; refilter(); } });
    const filters = [
      ...(isTarget ? [] : [choice("suite", "suite", unique(data.questions.map((question) => question[0]))),
        choice("method", "method", methodsOf(state.suite), say)]),
      choice("variant", "variant", data.variants),
      choice("flip", "compared with the baseline", Object.keys(FLIPS), (name) => say(FLIP_WORDS[name])),
      choice("outcome", "outcome", unique(rows.flatMap((row) => row.outcome)), (name) => say(`outcome:${name}`)),
      isTarget ? choice("error", "reason", unique(rows.flatMap((row) => row.error)).filter(Boolean).sort(), (name) => say(`class:${name}`)) : null,
      choice("level", isTarget ? settings.target.level : "category", unique(rows.map((row) => row.level)), say),
      choice("group", AXES[state.axis].groupWord, unique(rows.map((row) => row.group)).sort(), groupName),
      make("p", { class: "wide" }, make("label", { for: "filter-text" }, say("text in question or answer")), text),
      make("p", { class: "clear" }, make("button", { type: "button", id: "clear", onclick: () => {
        show({ axis: state.axis, suite: state.suite, method: state.method });
      } }, say("Clear"))),
    ];
    return make("form", { class: "filters", onsubmit: (event) => event.preventDefault() }, ...filters);
  }

  function refilter() { state.page = 0; list(); }

  function fits(row) {
    const chosen = state.variant ? [loaded[state.axis].variants.indexOf(state.variant)] : row.right.map((_, at) => at);
    const some = (test) => chosen.some(test);
    return (!state.level || row.level === state.level) && (!state.group || row.group === state.group)
      && (!state.text || row.text.includes(state.text.toLowerCase()))
      && some((at) => (!state.flip || (state.flip in FLIPS && FLIPS[state.flip](row.right[0], row.right[at]) && (at > 0 || state.variant)))
        && (!state.outcome || row.outcome[at] === state.outcome) && (!state.error || row.error[at] === state.error));
  }

  function list() {
    shown = rows.filter(fits);
    status.textContent = say("{shown} of {all} questions", { shown: shown.length, all: rows.length });
    const pages = Math.max(1, Math.ceil(shown.length / PER_PAGE));
    state.page = Math.min(state.page, pages - 1);
    const start = state.page * PER_PAGE;
    if (!shown.length) { results.replaceChildren(make("p", {}, say("No question fits these filters."))); return; }
    // A name breaks before its "@", not at its hyphens.
    const names = loaded[state.axis].variants.map((name) => name.replaceAll("-", "\u2011").replaceAll("@", "\u200b@"));
    const head = make("tr", {}, ...[say("question"), ...names].map((name) => make("th", { scope: "col" }, name)));
    const lines = shown.slice(start, start + PER_PAGE).map((row, at) => line(row, start + at));
    const table = make("table", { class: "answers" }, make("caption", { class: "unseen" }, say("All questions and answers")),
      make("thead", {}, head), make("tbody", {}, ...lines));
    results.replaceChildren(table, pages > 1 ? pager(pages) : "");
  }

  function line(row, at) {
    const names = loaded[state.axis].variants;
    const about = [row.title, groupName(row.group), say(row.level)].join(" · ");
    const question = make("th", { scope: "row" },
      make("button", { type: "button", class: "open", "aria-haspopup": "dialog" }, row.question),
      make("span", { class: "about" }, about));
    const marks = row.right.map((_, variant) => make("td", { "data-variant": names[variant] }, mark(row, variant)));
    return make("tr", { onclick: () => openQuestion(at) }, question, ...marks);
  }

  // Subjects are words; a cluster's name is a name.
  function groupName(name) { return state.axis === "choice" ? name.replaceAll("_", " ") : name; }

  // A sign, and the words for it: right, newly right, wrong, no longer right.
  function mark(row, variant) {
    if (!row.answers[variant]) return make("span", { class: "mark" }, "–");
    const right = row.right[variant], changed = variant > 0 && right !== row.right[0];
    const words = say(`outcome:${row.outcome[variant]}`) + (changed ? `, ${say(right ? "newly right" : "no longer right")}` : "");
    return make("span", { class: `mark ${right ? "right" : "wrong"}${changed ? " changed" : ""}`, title: words },
      make("span", { "aria-hidden": "true" }, right ? "✓" : "✗"), make("span", { class: "unseen" }, words));
  }

  function pager(pages) {
    const turn = (by, words) => make("button", { type: "button", disabled: state.page + by < 0 || state.page + by >= pages,
      onclick: () => { state.page += by; list(); document.getElementById("explorer-body").scrollIntoView(); } }, say(words));
    return make("div", { class: "pager" }, turn(-1, "Previous"), make("span", {}, say("page {page} of {pages}", { page: state.page + 1, pages })), turn(1, "Next"));
  }

  function openQuestion(at) {
    open = at;
    const row = shown[at];
    if (!row) { dialog.close(); return; }
    const step = (by, words) => make("button", { type: "button", id: by < 0 ? "previous" : "next", disabled: !shown[at + by], onclick: () => openQuestion(at + by) }, say(words));
    const head = make("div", { class: "dialog-head" },
      make("h2", { id: "question-title" }, [row.title, groupName(row.group), say(row.level)].join(" · ")),
      make("div", { class: "switches" }, step(-1, "Previous"), step(1, "Next"),
        make("button", { type: "button", id: "close", onclick: () => dialog.close() }, say("Close"))));
    const answers = row.options ? choiceAnswers(row, loaded.choice.variants, state.method) : targetAnswers(row, loaded[TARGET].variants, mark);
    const focused = dialog.contains(document.activeElement) ? document.activeElement.id : "";
    dialog.replaceChildren(head, make("p", { class: "asked" }, row.question), ...answers);
    if (!dialog.open) dialog.showModal();
    const again = focused && document.getElementById(focused);
    (again && !again.disabled ? again : dialog.querySelector("#close")).focus();
    dialog.scrollTop = 0;
  }

  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by && shown[open + by]) openQuestion(open + by);
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  return { show, draw };
}
