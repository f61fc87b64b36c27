// Keeps the page fresh: fetches it anew while someone looks, and takes over what has changed.
//
// The server alone decides how things read and look, so there is nothing to render here, and no text is ever
// parsed as markup that the server has not escaped.

const EVERY = 2000;

const find = (id) => document.getElementById(id);

/** Makes `now` hold what `next` holds, and leaves it alone where it does already: nobody's selection is lost. */
function takeOver(now, next) {
  if (!now.isEqualNode(next)) now.replaceChildren(...next.childNodes);
}

/** The same for a list, whose items stay the elements they are while their user stays. */
function takeOverList(now, next) {
  const items = new Map([...now.children].map((item) => [item.dataset.user, item]));
  [...next.children].forEach((fresh, place) => {
    const known = items.get(fresh.dataset.user);
    const item = known ?? document.importNode(fresh, true);
    // Only what arrives now is shown to arrive.
    item.classList.toggle("arrives", !known);
    if (known) takeOver(known, fresh);
    items.delete(fresh.dataset.user);
    if (now.children[place] !== item) now.insertBefore(item, now.children[place] ?? null);
  });
  items.forEach((item) => item.remove());
}

async function refresh() {
  const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(5 * EVERY) });
  if (!answer.ok) throw new Error(answer.statusText);
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const ofNext = (id) => next.getElementById(id);

  document.title = next.title;
  takeOverList(find("people"), ofNext("people"));
  for (const id of ["now", "more", "state"]) takeOver(find(id), ofNext(id));
  for (const id of ["corner", "steps"]) find(id).hidden = ofNext(id).hidden;
}

let paused = false;
let timer;

async function live() {
  clearTimeout(timer);
  if (paused || document.hidden) return;
  const notice = find("notice");
  try {
    await refresh();
    if (notice.textContent) notice.textContent = "";
  } catch {
    // Said once, not every two seconds, to those who have it read out.
    notice.textContent ||= "The server does not answer. What you see is the last that it said.";
  }
  clearTimeout(timer);
  timer = setTimeout(live, EVERY);
}

const pause = find("pause");
pause.hidden = false;
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  live();
});

for (const snippet of document.querySelectorAll(".snippet")) {
  const copy = document.createElement("button");
  copy.type = "button";
  copy.className = "copy";
  copy.textContent = "Copy";
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(snippet.querySelector("code").textContent);
      copy.textContent = "Copied";
    } catch {
      // Browsers allow it on localhost and over TLS alone; elsewhere the text is at least selected.
      getSelection().selectAllChildren(snippet.querySelector("code"));
      copy.textContent = "Selected";
    }
    setTimeout(() => (copy.textContent = "Copy"), 1500);
  });
  snippet.append(copy);
}

document.addEventListener("visibilitychange", live);
live();
