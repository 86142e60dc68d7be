const log = document.getElementById('log');
const text = document.getElementById('text');
const people = new Set();

function show(line, kind) {
  const item = document.createElement('li');
  item.className = kind;
  // Text is never taken for markup.
  item.textContent = line;
  log.append(item);
  item.scrollIntoView();
}

function showPeople() {
  const items = [...people].sort().map((name) => {
    const item = document.createElement('li');
    item.textContent = name;
    return item;
  });
  document.getElementById('people').replaceChildren(...items);
}

const handlers = {
  who() {
    text.placeholder = 'What is your name?';
  },
  refused({ why }) {
    show(why, 'notice');
  },
  welcome({ name, people: present }) {
    text.placeholder = `Say something, ${name}`;
    for (const other of present) people.add(other);
    showPeople();
  },
  joined({ name }) {
    people.add(name);
    showPeople();
    show(`${name} joined`, 'notice');
  },
  left({ name }) {
    people.delete(name);
    showPeople();
    show(`${name} left`, 'notice');
  },
  said({ name, text: said }) {
    show(`${name}: ${said}`, 'said');
  },
};

const socket = new WebSocket(new URL('talk', location.href.replace(/^http/, 'ws')));
socket.onopen = () => {
  text.disabled = false;
  text.focus();
};
socket.onmessage = (event) => {
  const message = JSON.parse(event.data);
  handlers[message.type]?.(message);
};
socket.onclose = (event) => {
  text.disabled = true;
  text.placeholder = 'Reload to come back';
  show(`The connection is closed (${event.code}).`, 'notice');
};
document.getElementById('form').onsubmit = (event) => {
  event.preventDefault();
  if (text.value !== '' && !text.disabled) socket.send(text.value);
  text.value = '';
};
