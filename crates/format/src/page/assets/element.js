// Elements. Text goes into them as text, never as HTML.

/** Returns an element. Attributes may have a `class`, and listeners under `on`. */
function el(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** Returns an element of a drawing. */
function drawn(tag, attributes, ...children) {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (value !== undefined && value !== null && value !== false) {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child !== undefined && child !== null && child !== '') element.append(child);
  }
}

/** Returns a name of the heap. */
function code(text, more = '') {
  return el('code', { class: more }, text);
}

/** The families of kinds, each with a colour. */
const FAMILIES = ['table', 'string', 'function', 'thread', 'userdata', 'other'];

/** Returns the family of a kind. */
function family(kind) {
  if (kind === 'proto') return 'function';
  if (kind === 'cdata') return 'userdata';
  return FAMILIES.includes(kind) ? kind : 'other';
}

/** Returns a small square in the colour of a kind. */
function square(kind) {
  return el('span', { class: `square fill-${family(kind)}` });
}

/** Returns a section with a heading and a finding beside it. */
function section(id, heading, finding, ...children) {
  const head = el('h2', { id: `${id}-heading` }, heading);
  const line = el('div', { class: 'head' }, head, finding ? el('p', {}, finding) : null);
  return el('section', { id, 'aria-labelledby': `${id}-heading` }, line, ...children);
}

/** Returns a name without the path that it begins with, if that is there: `.inventory`, `strings of .inventory`. */
function below(name, path) {
  const strings = 'strings of ';
  if (name.startsWith(strings)) return strings + below(name.slice(strings.length), path);
  const isBelow = name.startsWith(`${path}.`) && name.length > path.length + 1;
  return isBelow ? name.slice(path.length) : name;
}
