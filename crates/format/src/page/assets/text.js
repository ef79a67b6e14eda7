'use strict';
// Words, numbers, sizes and times, in the language that is chosen.

const TEXTS = {
  en: JSON.parse(document.getElementById('texts-en').textContent),
  zh: JSON.parse(document.getElementById('texts-zh').textContent),
};

let language = 'en';

/** What the answers say in English, and the same in Chinese. */
const CHINESE = new Map();

/** Returns a sentence of an answer, which is in English there. */
function said(sentence) {
  return (language === 'zh' && CHINESE.get(sentence)) || sentence;
}

/** Returns a text. Values take the places of their names in braces. */
function t(name, values = {}) {
  return rich(name, values).map((part) => String(part)).join('');
}

/** Returns a text as a list of parts, among which values stay as they are: elements, for example. */
function rich(name, values = {}) {
  const text = TEXTS[language][name];
  if (text === undefined) throw new Error(`there is no text '${name}'`);
  return text
    .split(/\{(\w+)\}/)
    .map((part, at) => (at % 2 ? values[part] : part))
    .filter((part) => part !== '');
}

/** Returns a number with its noun: `counted(2, 'objects')`. */
function counted(number, noun) {
  return t(`${noun}.${number === 1 ? 'one' : 'many'}`, { n: grouped(number) });
}

/** Returns a whole number with a comma between groups of three digits. */
function grouped(number) {
  return String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, ',');
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** Returns the unit in which so many bytes read best, as its power of 1024. */
function unitOf(number) {
  let unit = 0;
  // What would be shown as 1024.0 is 1.0 of the next unit.
  for (let value = Math.abs(number); value >= (unit ? 1023.95 : 1024); value /= 1024) unit += 1;
  return unit;
}

/** Returns a number of bytes in a readable unit, or in the given one unless nothing would be left of it. */
function bytes(number, unit = unitOf(number)) {
  if (number && number / 1024 ** unit < 0.05) return bytes(number);
  if (unit === 0) return `${grouped(number)}\u00a0B`;
  const digits = (number / 1024 ** unit).toFixed(unit > 2 ? 2 : 1);
  return `${digits.replace(/\B(?=(\d{3})+\.)/g, ',')}\u00a0${UNITS[unit]}`;
}

/** Returns a number of bytes with its sign. */
function signedBytes(number, unit) {
  return (number < 0 ? '−' : '+') + bytes(Math.abs(number), unit);
}

/** Returns a whole number with its sign. */
function signed(number) {
  return (number < 0 ? '−' : '+') + grouped(Math.abs(number));
}

/** Returns a part of 1 as percent, with one decimal or none. */
function percent(part, decimals = 1) {
  return `${(100 * part).toFixed(decimals)}%`;
}

/** Returns a time in words. */
function duration(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 120) return t('time.seconds', { n: Math.max(1, Math.round(seconds)) });
  if (seconds < 7200) return t('time.minutes', { n: Math.round(seconds / 60) });
  if (seconds < 172800) {
    const minutes = Math.round(seconds / 60);
    return t('time.hours', { h: Math.floor(minutes / 60), min: minutes % 60 });
  }
  return t('time.days', { n: grouped(seconds / 86400) });
}

/** Returns a moment as `2026-11-29 14:02:11`, in UTC. */
function moment(milliseconds) {
  const date = new Date(milliseconds);
  return isNaN(date) ? '' : date.toISOString().slice(0, 19).replace('T', ' ');
}
