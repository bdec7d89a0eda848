// <offramp-banner src="/your/route"></offramp-banner>
//
// Says in the product what stage of leaving somebody is in, until when, and what to do. It shows
// what your route passes on from Offramp, and nothing while there is nothing to show. Nobody can
// close it: it goes when the stage does. No framework, no build, no request but to `src`; a page
// may also bring the answer inside of the element, in a <script type="application/json">.
//
// docs/banner.md has the route, the looks, and the Content-Security-Policy that it works under.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const ANSWER_WAIT = 10 * SECOND;
const FIRST_RETRY = 15 * SECOND; // twice as long after each failure, an hour at most
const CHARACTERS_MAX = 2000;
const LINKS_MAX = 10;
const SAFE = ["http:", "https:", "mailto:"];

const looks = new CSSStyleSheet();
looks.replaceSync(`
  :host { display: block; }
  section {
    --accent: var(--offramp-accent, light-dark(#9a5b00, #f3b64c));
    box-sizing: border-box;
    padding: 0.9em 1.15em 1em;
    border: 1px solid var(--offramp-border, light-dark(#ecd9b4, #54452a));
    border-inline-start: 5px solid var(--accent);
    border-radius: var(--offramp-radius, 8px);
    background: var(--offramp-background, light-dark(#fff9ec, #272117));
    color: var(--offramp-color, light-dark(#33291a, #f2e8d7));
    font: var(--offramp-font, inherit);
    font-size: var(--offramp-size, 0.9375rem);
    line-height: 1.5;
    text-align: start;
    overflow-wrap: anywhere;
  }
  p, ul { margin: 0.3em 0 0; padding: 0; max-width: 80ch; text-wrap: pretty; }
  .heading { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25em 0.7em; margin: 0; }
  strong { font-size: 1.1em; line-height: 1.35; }
  .stage {
    padding: 0.1em 0.65em;
    border: 1px solid var(--accent);
    border-radius: 1em;
    color: var(--accent);
    font-size: 0.85em;
    font-weight: 600;
  }
  .until { font-weight: 600; }
  .note { font-size: 0.9em; }
  ul { display: flex; flex-wrap: wrap; gap: 0.1em 1.4em; margin-top: 0.45em; list-style: none; }
  a {
    display: inline-block;
    padding: 0.15em 0;
    color: var(--offramp-link, var(--accent));
    font-weight: 600;
    text-underline-offset: 0.2em;
  }
  a:hover { text-decoration-thickness: 2px; }
  a:focus-visible { outline: 3px solid currentcolor; outline-offset: 3px; border-radius: 2px; }
`);

class OfframpBanner extends HTMLElement {
  static observedAttributes = ["src"];

  #place;
  #isPlaced = false;
  #shown = "null";
  #announced = "";
  #endsAt = NaN;
  #clockAhead = 0; // of the server's clock before this one
  #askedAt = 0;
  #failures = 0;
  #request;
  #timer;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [looks];
    this.#place = document.createElement("div");
    this.#place.setAttribute("aria-live", "polite");
    root.append(this.#place);
  }

  connectedCallback() {
    this.#isPlaced = true;
    document.addEventListener("visibilitychange", this);
    if (this.#askedAt === 0) this.#take(this.#brought());
    this.#ask();
  }

  disconnectedCallback() {
    this.#isPlaced = false;
    document.removeEventListener("visibilitychange", this);
    this.#rest();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.#isPlaced || before === after) return;
    this.#show(null); // it was about something else
    this.#failures = 0;
    this.#ask();
  }

  handleEvent() {
    const since = Math.abs(Date.now() - this.#askedAt);
    if (!document.hidden && since >= MINUTE) this.#ask();
  }

  #brought() {
    const script = this.querySelector(':scope > script[type="application/json"]');
    try {
      return script && JSON.parse(script.textContent);
    } catch {
      return null;
    }
  }

  async #ask() {
    this.#rest();
    const src = this.getAttribute("src");
    this.#askedAt = Date.now();
    if (!src) return this.#goWhenOver();
    const request = (this.#request = new AbortController());
    const given = setTimeout(() => request.abort(), ANSWER_WAIT);
    try {
      const response = await fetch(src, {
        mode: "same-origin",
        credentials: "same-origin",
        headers: { Accept: "application/json" },
        signal: request.signal,
      });
      if (!response.ok) throw response.status;
      const answer = response.status === 204 ? null : await response.json();
      if (request !== this.#request) return;
      this.#clockAhead = (Date.parse(response.headers.get("Date")) || Date.now()) - Date.now();
      this.#failures = 0;
      this.#take(answer);
      this.#askIn(this.#left(answer?.changes_at));
    } catch {
      if (request !== this.#request) return; // another question took the place of this one
      if (this.#now() >= this.#endsAt) this.#show(null);
      this.#askIn(FIRST_RETRY * 2 ** Math.min(this.#failures++, 8));
    } finally {
      clearTimeout(given);
      request.abort(); // lets go of what was not read
    }
  }

  #now() {
    return Date.now() + this.#clockAhead;
  }

  // An answer that has ended already comes from another clock, and is asked for rarely.
  #left(end) {
    const left = Date.parse(end) - this.#now();
    return left > 0 ? left + SECOND : HOUR;
  }

  // Not everybody at the same instant, when midnight is over.
  #askIn(wait) {
    this.#timer = setTimeout(() => this.#ask(), Math.min(wait, HOUR) + Math.random() * 9 * SECOND);
  }

  #rest() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    this.#request = undefined;
  }

  // What a page has brought along cannot be asked for again.
  #goWhenOver() {
    if (this.#shown === "null" || !(this.#now() < this.#endsAt)) return;
    const over = () => (this.#now() < this.#endsAt ? this.#goWhenOver() : this.#show(null));
    this.#timer = setTimeout(over, Math.min(this.#endsAt - this.#now(), HOUR));
  }

  #take(answer) {
    const banner = answer?.banner;
    const isOne = typeof banner === "object" && words(banner?.heading) !== "";
    this.#endsAt = Date.parse(isOne ? banner.ends_at : undefined);
    this.#show(isOne ? banner : null);
  }

  #show(banner) {
    const shown = JSON.stringify(banner);
    if (shown === this.#shown) return;
    this.#shown = shown;
    if (banner === null) return this.#place.replaceChildren();
    // It is read out once, and not again when a day is over.
    const title = `${words(banner.stage)} ${words(banner.heading)}`;
    this.#place.setAttribute("aria-live", title === this.#announced ? "off" : "polite");
    this.#announced = title;
    this.#place.replaceChildren(draw(banner));
  }
}

function draw(banner) {
  const section = make("section", "banner");
  section.lang = words(banner.language);
  section.dir = banner.direction === "rtl" ? "rtl" : "ltr";
  section.setAttribute("aria-labelledby", "heading");
  const title = make("strong", "title", banner.heading);
  title.id = "heading";
  const heading = make("p", "heading");
  heading.append(...filled([make("span", "stage", banner.stage_title), title]));
  const rest = ["text", "until", "advice", "note"].map((name) => make("p", name, banner[name]));
  const links = make("ul", "links");
  links.append(...anchors(banner.links));
  section.append(heading, ...filled([...rest, links]));
  return section;
}

function anchors(links) {
  if (!Array.isArray(links)) return [];
  return links.slice(0, LINKS_MAX).flatMap((link) => {
    const address = safe(words(link?.href));
    if (!address) return [];
    const anchor = make("a", "link", words(link.label) || address);
    anchor.href = address;
    const item = make("li", "item");
    item.append(anchor);
    return [item];
  });
}

function safe(address) {
  try {
    const url = new URL(address);
    return SAFE.includes(url.protocol) ? url.href : "";
  } catch {
    return "";
  }
}

function make(name, part, text) {
  const made = document.createElement(name);
  made.className = part;
  made.setAttribute("part", part);
  made.textContent = words(text);
  return made;
}

function filled(elements) {
  return elements.filter((each) => each.hasChildNodes());
}

function words(value) {
  return typeof value === "string" ? value.slice(0, CHARACTERS_MAX).trim() : "";
}

if (!customElements.get("offramp-banner")) customElements.define("offramp-banner", OfframpBanner);
