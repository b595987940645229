// Buttons that copy: data-copies names the element, data-copied and data-selected what is said then.

// Without a secure origin there is no clipboard to write to: the words are selected, for the person to copy.
async function copy(button) {
  const source = document.getElementById(button.dataset.copies);
  const label = button.textContent;
  let said = button.dataset.copied;
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    getSelection().selectAllChildren(source);
    said = button.dataset.selected;
  }
  button.textContent = said;
  setTimeout(() => { button.textContent = label; }, 3000);
}
document.body.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[data-copies]");
  if (button) copy(button);
});
