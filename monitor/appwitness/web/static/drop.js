// Uploads files that are dropped or chosen, one after the other, and opens the page that imports them.
"use strict";
(() => {
  function send(area, file, drop) {
    const address = new URL(area.dataset.drop, location.href);
    address.searchParams.set("name", file.name);
    if (drop) {
      address.searchParams.set("drop", drop);
    }
    const sign = area.querySelector("[role=status]");
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.upload.onprogress = (event) => {
        sign.textContent = `${file.name}: ${Math.floor((event.loaded / Math.max(event.total, 1)) * 100)} %`;
      };
      request.onload = () => {
        try {
          resolve(JSON.parse(request.responseText));
        } catch {
          resolve({ problem: area.dataset.failed });
        }
      };
      request.onerror = () => resolve({ problem: area.dataset.failed });
      request.open("POST", address);
      request.setRequestHeader("x-appwitness-form", area.dataset.form);
      request.setRequestHeader("content-type", "application/octet-stream");
      request.send(file);
    });
  }

  async function take(area, files) {
    const sign = area.querySelector("[role=status]");
    let answer = null;
    area.classList.add("busy");
    for (const file of files) {
      if (file.size > +area.dataset.largest) {
        answer = { problem: area.dataset.tooLarge };
      } else {
        answer = await send(area, file, answer?.drop);
      }
      if (answer.problem) {
        break;
      }
    }
    area.classList.remove("busy");
    if (!answer) {
      return;
    }
    if (answer.problem) {
      sign.textContent = answer.problem;
      sign.classList.add("problem");
      return;
    }
    const address = new URL(answer.address, location.href);
    if (area.dataset.device && address.pathname === "/new/observe") {
      address.searchParams.set("device", area.dataset.device);
    }
    location.assign(address);
  }

  for (const area of document.querySelectorAll("[data-drop]")) {
    const input = area.querySelector("input[type=file]");
    input.addEventListener("change", () => take(area, input.files));
    area.addEventListener("dragover", (event) => {
      event.preventDefault();
      area.classList.add("over");
    });
    area.addEventListener("dragleave", () => area.classList.remove("over"));
    area.addEventListener("drop", (event) => {
      event.preventDefault();
      area.classList.remove("over");
      take(area, event.dataTransfer.files);
    });
  }
})();
