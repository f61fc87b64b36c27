// Keeps the page as fresh as the server's events, while someone looks.
//
// Names are set as text, never parsed as markup. What a line says and how it looks is what the server writes where no
// script runs: `ago`, `initials` and `hue` here are the same functions as there.

const LISTED = 50;
const LOOK_AT_STATE_EVERY = 10_000;
const TRY_AGAIN_AFTER = 5_000;
const SPEAK_EVERY = 30_000;
const LOOK_BACK_EVERY = 60_000;
const SEEN_ARRIVING = 5;

const find = (id) => document.getElementById(id);

/** Sets a text where it is another: nobody's selection is lost for nothing. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// --- Time: the server's, whatever this machine's clock says.

let ahead = 0;

function setTime(asOf) {
  ahead = Date.parse(asOf) - Date.now();
  const asOfTime = find("as-of");
  asOfTime.dateTime = asOf;
  say(asOfTime, `${new Date(asOf).toISOString().slice(11, 19)} UTC`);
}

function ago(date) {
  const seconds = Math.max(0, Math.floor((Date.now() + ahead - Date.parse(date)) / 1000));
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86_400);
  return days === 1 ? "1 day ago" : `${days} days ago`;
}

function setMoment(time, date) {
  if (!date) return;
  time.dateTime = time.title = date;
  say(time, ago(date));
}

function tick() {
  for (const time of document.querySelectorAll("time.ago[datetime]")) say(time, ago(time.dateTime));
}

// --- People

function initials(label) {
  const letters = label.split(/\s+/).flatMap((word) => word.match(/[\p{Alphabetic}\p{N}]/u) ?? []);
  const ends = letters.length > 1 ? [letters[0], letters.at(-1)] : letters;
  return ends.join("").toUpperCase() || "·";
}

function hue(user) {
  const bytes = new TextEncoder().encode(user);
  return (bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5) >>> 0) % 8;
}

/** Makes an item show this person. */
function dress(item, person) {
  const part = (name) => item.querySelector(`.${name}`);
  const label = person.name ?? person.user;
  item.dataset.user = person.user;
  say(part("avatar"), initials(label));
  part("avatar").className = `avatar hue-${hue(person.user)}`;
  say(part("name"), label);
  say(part("id"), label === person.user ? "" : person.user);
  say(part("ip"), person.last_activity_ip ?? "");
  setMoment(part("ago"), person.last_activity_date);
}

let people = new Map();
let count = Number(find("count").textContent.replaceAll(",", ""));
/** Whether the store can be read. Where it can't, nobody is said to be absent. */
let ready = find("wanting").hidden;

/** Dates to the microsecond, which is finer than `Date` is: as text that sorts as they do. */
const order = ({ last_activity_date: date }) => date.slice(0, 19) + (date.slice(19, -1) || ".").padEnd(7, "0");

function newestFirst(a, b) {
  const [before, after] = [order(b), order(a)];
  if (before === after) return a.user < b.user ? -1 : 1;
  return before < after ? -1 : 1;
}

/** Whoever stays keeps their element, and so the focus or the selection that is in it. */
function showPeople() {
  const list = find("people");
  const items = new Map([...list.children].map((item) => [item.dataset.user, item]));
  const newest = [...people.values()].sort(newestFirst).slice(0, LISTED);
  people = new Map(newest.map((person) => [person.user, person]));
  // More at once would be a flicker.
  const arrives = newest.filter(({ user }) => !items.has(user)).length <= SEEN_ARRIVING;
  newest.forEach((person, place) => {
    const known = items.get(person.user);
    const item = known ?? find("person").content.firstElementChild.cloneNode(true);
    if (!known) item.classList.toggle("arrives", arrives);
    dress(item, person);
    items.delete(person.user);
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  items.forEach((item) => item.remove());
}

/** `1,234,567`. */
const grouped = (number) => number.toLocaleString("en");

function show() {
  showPeople();
  const number = grouped(count);
  document.title = `${number} online · lastseen`;
  say(find("count"), number);
  find("count").className = `number letters-${number.length}`;
  find("unit").classList.toggle("nobody", count === 0);
  const more = count - people.size;
  say(find("more"), more > 0 ? `and ${grouped(more)} more` : "");
  showReady();
  speak();
}

function showReady() {
  const nobody = count === 0 && ready;
  find("corner").hidden = nobody;
  find("steps").hidden = !nobody;
  find("wanting").hidden = ready;
  say(find("unit"), ready ? "online now" : "known to be online");
}

// --- For those who have it read out: how many, when that has changed, and not all the time.

let spoken = find("count").textContent;
let silentUntil = 0;
let speaking;

function speak() {
  clearTimeout(speaking);
  if (spoken === grouped(count)) return;
  const wait = silentUntil - Date.now();
  if (wait > 0) {
    speaking = setTimeout(speak, wait);
    return;
  }
  spoken = grouped(count);
  silentUntil = Date.now() + SPEAK_EVERY;
  find("spoken").textContent = `${spoken} online now`;
}

// --- Events

let source;
let again;

const on = {
  snapshot(online) {
    people = new Map();
    on.online(online);
    on.count(online);
  },
  online({ users }) {
    for (const person of users) people.set(person.user, person);
  },
  active(changed) {
    on.online(changed);
  },
  offline({ users }) {
    for (const user of users) people.delete(user);
  },
  // The last of each batch.
  count(now) {
    count = now.count;
    setTime(now.as_of);
    show();
    say(find("notice"), "");
  },
};

function complain() {
  // Said once, and not each time, to those who have it read out.
  say(find("notice"), "The server does not answer. What you see is the last that it said.");
}

function listen() {
  source = new EventSource("/v1/events");
  for (const [name, take] of Object.entries(on)) {
    source.addEventListener(name, (event) => take(JSON.parse(event.data)));
  }
  source.addEventListener("error", () => {
    // Where the connection was lost, the browser tries again by itself, and goes on where it was.
    if (source.readyState === EventSource.CLOSED) askInstead();
    else complain();
  });
}

/** Where there are no events to be had, for instance since too many listen. */
async function askInstead() {
  clearTimeout(again);
  again = setTimeout(follow, TRY_AGAIN_AFTER);
  try {
    const answer = await fetch("/v1/online", { signal: AbortSignal.timeout(TRY_AGAIN_AFTER) });
    // The session has ended: the page is now the form to sign in.
    if (answer.status === 401) location.reload();
    if (!answer.ok) throw new Error(answer.statusText);
    on.snapshot(await answer.json());
  } catch {
    complain();
  }
}

// --- The server's state

/** A text as it stands alone. */
const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

let looking;

async function lookAtState() {
  clearTimeout(looking);
  looking = setTimeout(lookAtState, LOOK_AT_STATE_EVERY);
  try {
    const answer = await fetch("/readyz", { signal: AbortSignal.timeout(LOOK_AT_STATE_EVERY) });
    const state = await answer.json();
    ready = answer.ok;
    showReady();
    find("health").className = ready ? "health good" : "health bad";
    say(find("health"), ready ? "Ready" : sentence(state.detail));
    setMoment(find("flushed"), state.flushed_at);
    setMoment(find("followed"), state.followed_at);
  } catch {
    // The events tell that the server doesn't answer.
  }
}

// --- The history, as the server draws it: numbers and dates, and no names.

let remembering;

async function lookBack() {
  clearTimeout(remembering);
  remembering = setTimeout(lookBack, LOOK_BACK_EVERY);
  try {
    const answer = await fetch("/history", { signal: AbortSignal.timeout(TRY_AGAIN_AFTER) });
    if (answer.ok) find("history").innerHTML = await answer.text();
  } catch {
    // The events tell that the server doesn't answer.
  }
}

// --- While someone looks

let paused = false;
let ticking;

function follow() {
  source?.close();
  for (const timer of [again, looking, remembering, ticking]) clearTimeout(timer);
  if (paused || document.hidden) return;
  listen();
  lookAtState();
  lookBack();
  ticking = setInterval(tick, 1000);
}

const pause = find("pause");
pause.hidden = false;
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  follow();
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

setTime(find("as-of").dateTime);
document.addEventListener("visibilitychange", follow);
follow();
