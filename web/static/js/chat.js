// @ts-check
// The sample room: messages go out by fetch and come in over a socket that lives exactly as long as the session.

import { request } from "./api.js";
import { onSubmit } from "./forms.js";
import { localTimes } from "./time.js";

/** @typedef {{id: string, username: string, display_name?: string, body: string, at: string}} Message */

const SESSION_OVER = 4401;
const SHOWN = 100;
const LONGEST_WAIT = 15_000;

const root = /** @type {HTMLElement} */ (document.querySelector("[data-chat]"));
const log = /** @type {HTMLElement} */ (root.querySelector("[data-log]"));
const list = /** @type {HTMLElement} */ (root.querySelector("[data-messages]"));
const empty = /** @type {HTMLElement} */ (root.querySelector("[data-empty]"));
const state = /** @type {HTMLElement} */ (root.querySelector("[data-room-state]"));
const form = /** @type {HTMLFormElement} */ (root.querySelector("[data-chat-form]"));
const shape = /** @type {HTMLTemplateElement} */ (document.querySelector("[data-message-shape]"));

/** Whoever reads at the end stays there; whoever scrolled back is left alone. */
let atEnd = true;
log.addEventListener("scroll", () => {
  atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
});
window.addEventListener("resize", () => {
  if (atEnd) toEnd();
});

/** @param {Message} message */
function add(message) {
  if (list.querySelector(`[data-message="${CSS.escape(message.id)}"]`)) return;
  const item = /** @type {HTMLElement} */ (shape.content.firstElementChild?.cloneNode(true));
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (item.querySelector(selector));
  const mine = message.username === root.dataset.username;
  item.dataset.message = message.id;
  item.classList.toggle("mine", mine);
  find("strong").textContent = message.display_name || message.username;
  find(".message-body").textContent = message.body;
  const time = /** @type {HTMLTimeElement} */ (find("time"));
  time.dateTime = message.at;
  time.dataset.time = "clock";
  localTimes(item);
  list.append(item);
  empty.hidden = true;
  while (list.children.length > SHOWN) list.firstElementChild?.remove();
  if (atEnd || mine) toEnd();
}

function toEnd() {
  log.scrollTop = log.scrollHeight;
}

onSubmit(form, async ({ body }) => {
  const input = /** @type {HTMLInputElement} */ (form.elements.namedItem("body"));
  add(await request("POST", "/v1/chat/messages", { body }));
  input.value = "";
  input.focus();
});

let wait = 0;

function connect() {
  const socket = new WebSocket(new URL("/v1/chat/socket", location.href.replace(/^http/, "ws")));
  socket.addEventListener("open", () => {
    wait = 0;
    state.textContent = "";
    catchUp();
  });
  socket.addEventListener("message", (event) => add(JSON.parse(event.data)));
  socket.addEventListener("close", ({ code }) => {
    if (code === SESSION_OVER) return; // the page leaves
    wait = Math.min(LONGEST_WAIT, wait ? wait * 2 : 500);
    state.textContent = "The line is down. Reconnecting…";
    setTimeout(connect, wait + Math.random() * 250);
  });
}

/** What was said between the page and the socket, or while the line was down. */
async function catchUp() {
  try {
    const { messages } = await request("GET", "/v1/chat/messages");
    messages.forEach(add);
  } catch {
    // The socket still brings what is new, and closes when there is a reason to.
  }
}

toEnd();
connect();
