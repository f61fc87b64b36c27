// <lastseen-online limit="10">: who is online, in any page of any site, as far as guests may see it.
//
//   <script src="https://presence.example.com/widget.js" async></script>
//   <lastseen-online limit="10"></lastseen-online>
//
// Names are set as text. All elements of a page share one stream of events, which is open while the page is looked at;
// where there is none to be had, the list is asked for instead.
(() => {
  const home = new URL(".", document.currentScript.src).href;
  const ASK_EVERY = 15_000;
  const TRY_AGAIN_AFTER = 60_000;

  const STYLE = `
    :host { display: block; font: inherit; color: inherit; }
    :host([hidden]) { display: none; }
    p, ul { margin: 0; padding: 0; }
    ul { list-style: none; margin-top: var(--lastseen-gap, 0.5em); }
    li { display: flex; align-items: center; gap: var(--lastseen-gap, 0.5em); padding: 0.125em 0; }
    .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .dot { flex: none; width: 0.5em; height: 0.5em; border-radius: 50%; background: var(--lastseen-dot, #2a9d6f); }
    .count { font-weight: var(--lastseen-count-weight, 600); }
    .more { opacity: 0.7; }
    [hidden] { display: none; }
  `;

  /** One server's list, for all elements that show it. */
  class Feed {
    elements = new Set();
    last;

    constructor(base) {
      this.base = base;
      document.addEventListener("visibilitychange", () => this.follow());
    }

    add(element) {
      this.elements.add(element);
      if (this.last) element.show(this.last);
      if (this.elements.size === 1) this.follow();
    }

    remove(element) {
      this.elements.delete(element);
      if (!this.elements.size) this.follow();
    }

    take(online) {
      this.last = online;
      for (const element of this.elements) element.show(online);
    }

    follow() {
      this.source?.close();
      clearTimeout(this.timer);
      if (document.hidden || !this.elements.size) return;
      this.source = new EventSource(`${this.base}v1/guest/events`);
      this.source.addEventListener("online", (event) => this.take(JSON.parse(event.data)));
      this.source.addEventListener("error", () => {
        // A lost connection is tried again by the browser; a refusal is not.
        if (this.source.readyState === EventSource.CLOSED) this.ask(Date.now() + TRY_AGAIN_AFTER);
      });
    }

    async ask(until) {
      this.timer = setTimeout(() => (Date.now() < until ? this.ask(until) : this.follow()), ASK_EVERY);
      try {
        const answer = await fetch(`${this.base}v1/guest/online`, { credentials: "omit" });
        if (answer.ok) this.take(await answer.json());
      } catch {
        // What is shown stays, and is asked for again.
      }
    }
  }

  const feeds = new Map();
  const feedOf = (base) => {
    if (!feeds.has(base)) feeds.set(base, new Feed(base));
    return feeds.get(base);
  };

  const make = (tag, name, text = "") => {
    const element = document.createElement(tag);
    element.className = name;
    element.part = name;
    element.textContent = text;
    return element;
  };

  class LastseenOnline extends HTMLElement {
    static observedAttributes = ["limit", "count-only", "label"];

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      // A sheet of its own, which a site's content policy has nothing against, as it would against a style element.
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      this.count = make("span", "count");
      this.label = make("span", "label");
      this.total = make("p", "total");
      this.total.append(this.count, " ", this.label);
      this.list = make("ul", "list");
      this.list.role = "list";
      this.more = make("p", "more");
      root.append(this.total, this.list, this.more);
      // Nothing is shown before there is something to show, nor where guests may see nothing.
      for (const part of root.children) part.hidden = true;
    }

    connectedCallback() {
      const server = this.getAttribute("server");
      this.feed = feedOf(server ? server.replace(/\/*$/, "/") : home);
      this.feed.add(this);
    }

    disconnectedCallback() {
      this.feed.remove(this);
    }

    attributeChangedCallback() {
      if (this.feed?.last) this.show(this.feed.last);
    }

    show({ count, users = [] }) {
      const limit = parseInt(this.getAttribute("limit") ?? 10, 10);
      const names = this.hasAttribute("count-only") ? [] : users.slice(0, limit >= 0 ? limit : 10);
      const more = count - names.length;
      this.count.textContent = count.toLocaleString("en");
      this.label.textContent = this.getAttribute("label") ?? "online";
      this.list.replaceChildren(...names.map(({ name }) => this.item(name)));
      this.more.textContent = `and ${more.toLocaleString("en")} more`;
      this.total.hidden = false;
      this.list.hidden = !names.length;
      this.more.hidden = !names.length || more <= 0;
    }

    item(name) {
      const item = make("li", "item");
      const text = make("bdi", "name", name);
      item.append(make("span", "dot"), text);
      return item;
    }
  }

  customElements.get("lastseen-online") || customElements.define("lastseen-online", LastseenOnline);
})();
