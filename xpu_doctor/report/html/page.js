"use strict";
(function () {
  function all(selector) {
    return Array.prototype.slice.call(document.querySelectorAll(selector));
  }

  function span(text, name) {
    var made = document.createElement("span");
    made.textContent = text;
    made.className = name;
    return made;
  }

  function tell(word, done) {
    word.textContent = done ? "Copied" : "Press Ctrl+C";
    setTimeout(function () {
      word.textContent = "Copy";
    }, 2000);
  }

  function select(node) {
    var range = document.createRange();
    range.selectNodeContents(node);
    var selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }

  all(".commands").forEach(function (block) {
    var typed = block.querySelector("pre");
    var button = document.createElement("button");
    var word = span("Copy", "copy-word");
    button.type = "button";
    word.setAttribute("aria-live", "polite");
    button.append(word, span(" " + block.dataset.says, "unseen"));
    button.addEventListener("click", function () {
      select(typed);
      if (!navigator.clipboard) {
        tell(word, false);
        return;
      }
      navigator.clipboard.writeText(typed.textContent).then(
        function () { tell(word, true); },
        function () { tell(word, false); }
      );
    });
    block.appendChild(button);
  });

  var field = document.getElementById("filter");
  var groups = all(".group");
  var opened = [];

  function narrow() {
    var words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    var shown = 0;
    groups.forEach(function (group) {
      var own = 0;
      Array.prototype.forEach.call(group.querySelectorAll("tbody tr"), function (row) {
        var text = row.textContent.toLowerCase();
        row.hidden = !words.every(function (word) { return text.indexOf(word) >= 0; });
        own += row.hidden ? 0 : 1;
      });
      group.hidden = words.length > 0 && own === 0;
      group.open = words.length > 0 ? own > 0 : opened.indexOf(group) >= 0;
      shown += own;
    });
    document.getElementById("matches").textContent = words.length ? shown + (shown === 1 ? " row" : " rows") : "";
  }

  if (field) {
    field.parentNode.hidden = false;
    field.addEventListener("focus", function () {
      if (!field.value) {
        opened = groups.filter(function (group) { return group.open; });
      }
    });
    field.addEventListener("input", narrow);
  }

  function reveal() {
    var place = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    var block = place && place.querySelector("details");
    if (block) {
      block.open = true;
    }
  }

  addEventListener("hashchange", reveal);
  reveal();
})();
