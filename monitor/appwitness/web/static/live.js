// Keeps a page up to date, and filters it while the user types: both fetch the page again and replace its parts marked
// data-live. Without this script, the same forms and links work by reloading.
"use strict";
const body = document.body;
let state = body.dataset.state;
let busy = false;
let wanted = null;

async function refresh(address) {
  if (busy) {
    wanted = address;
    return;
  }
  busy = true;
  try {
    const answer = await fetch(address, { headers: { accept: "text/html" } });
    if (answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      state = fresh.body.dataset.state;
      for (const part of document.querySelectorAll("[data-live]")) {
        const other = fresh.getElementById(part.id);
        if (other) {
          take(part, other);
        }
      }
    }
  } catch (error) {
    // The page is being left, or the server is gone, which the sign says.
    if (!(error instanceof TypeError)) {
      throw error;
    }
  } finally {
    busy = false;
    const next = wanted;
    wanted = null;
    if (next) {
      refresh(next);
    }
  }
}

// Unchanged rows keep their elements, and with them focus and selection.
function take(part, other) {
  if (part.isEqualNode(other)) {
    return;
  }
  Object.assign(part.dataset, other.dataset); // such as the current bounds of the timeline
  const rows = new Map([...other.children].map((row) => [row.id, row]));
  if (rows.has("")) {
    const key = part.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
    part.replaceChildren(...other.childNodes);
    if (!("live" in other.dataset)) {
      delete part.dataset.live; // its replacement has live parts itself
    }
    if (key) {
      part.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
    }
    return;
  }
  for (const row of [...part.children]) {
    const same = rows.get(row.id);
    if (!same || !same.isEqualNode(row)) {
      row.remove();
    }
  }
  let place = part.firstElementChild;
  for (const row of rows.values()) {
    if (place && place.id === row.id) {
      place = place.nextElementSibling;
    } else {
      part.insertBefore(document.getElementById(row.id) ?? row, place);
    }
  }
}

function listen() {
  const events = new EventSource(body.dataset.events);
  const sign = document.getElementById("live");
  const show = (on) => {
    sign.classList.toggle("on", on);
    sign.textContent = on ? sign.dataset.on : sign.dataset.off;
  };
  events.onopen = () => show(true);
  events.onerror = () => show(false);
  events.onmessage = (event) => {
    if (event.data !== state) {
      refresh(location.href);
    }
  };
  return events;
}

// A browser opens at most six connections to one host, so a hidden page closes its own.
if (body.dataset.events) {
  let events = listen();
  document.addEventListener("visibilitychange", () => {
    events.close();
    if (!document.hidden) {
      events = listen();
    }
  });
}

// The timeline moves without a reload: by its links, by keys, and by the pointer. Dragging selects the section to show;
// after that it moves the section, and selects again with Shift.
function go(address) {
  history.replaceState(null, "", address);
  const query = new URLSearchParams(location.search);
  for (const name of ["from", "to"]) {
    document.querySelector(`input[name=${name}]`).value = query.get(name) ?? "";
  }
  refresh(location.href);
}

document.getElementById("zoom")?.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    go(link.href);
  }
});

for (const figure of document.querySelectorAll("[data-zoom]")) {
  const picture = figure.querySelector("[data-low]");
  const second = (event) => {
    const { low, high, left, right } = picture.dataset;
    const box = figure.querySelector("svg").getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width - left) / (right - left);
    return (+low + Math.min(Math.max(share, 0), 1) * (high - low)).toFixed(3);
  };
  const drawn = (event) => [second(begun.event), second(event)].sort((one, other) => one - other);
  const dragged = (event) => {
    const width = figure.querySelector("svg").getBoundingClientRect().width * (begun.right - begun.left);
    const by = ((begun.event.clientX - event.clientX) / width) * (begun.high - begun.low);
    return [(begun.low + by).toFixed(3), (begun.high + by).toFixed(3)];
  };
  const place = ([from, to]) => {
    const query = new URLSearchParams(location.search);
    query.set("from", from);
    query.set("to", to);
    return `?${query}#timeline`;
  };
  let begun = null;
  const isFar = (event) => begun && Math.abs(event.clientX - begun.event.clientX) > 10;
  const end = () => {
    begun = null;
    figure.classList.remove("drags");
  };
  figure.addEventListener("dragstart", (event) => event.preventDefault()); // marks are links, which browsers drag
  figure.addEventListener("pointerdown", (event) => {
    const [low, high, left, right] = ["low", "high", "left", "right"].map((name) => +picture.dataset[name]);
    const drags = !event.shiftKey && new URLSearchParams(location.search).has("from");
    begun = { event, drags, low, high, left, right };
  });
  figure.addEventListener("pointermove", (event) => {
    if (isFar(event) && begun.drags) {
      figure.classList.add("drags");
      figure.setPointerCapture(event.pointerId);
      refresh(place(dragged(event)));
    }
  });
  figure.addEventListener("pointerup", (event) => {
    if (isFar(event)) {
      go(place(begun.drags ? dragged(event) : drawn(event)));
    }
    end();
  });
  figure.addEventListener("pointercancel", end);
  figure.addEventListener("keydown", (event) => {
    const key = event.key === "=" ? "+" : event.key;
    const link = document.querySelector(`#zoom [data-key="${CSS.escape(key)}"]`);
    if (link && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      go(link.href);
    }
  });
}

// Links to this page in another order, format or language keep the filters that were typed.
function carry(form, query) {
  for (const link of document.querySelectorAll("a[href]")) {
    const there = new URL(link.href, location.href);
    if (there.origin === location.origin && there.pathname === location.pathname && !link.closest("[data-live], form")) {
      for (const { name } of form.elements) {
        if (name && name !== "sort") {
          there.searchParams.delete(name);
          if (query.has(name)) {
            there.searchParams.set(name, query.get(name));
          }
        }
      }
      there.searchParams.delete("page");
      link.href = there;
    }
  }
}

for (const form of document.querySelectorAll("form[data-filter]")) {
  const filter = (event) => {
    event.preventDefault();
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
    carry(form, query);
    refresh(location.href);
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", filter);
  form.classList.add("scripted");
}

document.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const row = event.target.closest?.("[data-rows] > tr");
  if (step && row && !event.altKey && !event.ctrlKey && !event.metaKey && event.target.matches("a")) {
    const next = step > 0 ? row.nextElementSibling : row.previousElementSibling;
    const link = next?.querySelector("th a") ?? next?.querySelector("a");
    if (link) {
      event.preventDefault();
      link.focus();
    }
  }
});
