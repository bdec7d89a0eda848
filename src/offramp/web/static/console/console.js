// What a page of the console does beyond its links and forms. All of them work without it.

"use strict";

// Somebody who comes for the first time reads times where their browser is.
for (const field of document.querySelectorAll("[data-zone]")) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
}

// A slash leads to the search, as long as nobody is writing.
document.addEventListener("keydown", (event) => {
  const isWriting = event.target.matches("input, textarea, select");
  const search = document.querySelector("[type=search]");
  if (event.key === "/" && search && !isWriting && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    search.focus();
    search.select();
  }
});

// A slider says where it stands while it is moved.
document.addEventListener("input", (event) => {
  if (event.target.type === "range") {
    event.target.closest("label").querySelector("[data-shown]").textContent = event.target.value;
  }
});
