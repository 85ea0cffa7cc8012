// What the browser keeps for this page; nothing, where that is forbidden.
export function recall(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}

export function remember(key, value) {
  try { localStorage.setItem(key, value); } catch { /* it is forgotten */ }
}
