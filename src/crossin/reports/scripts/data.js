"use strict";
/* The page's data, and what can be said of one answer. Texts of data and models reach the page by textContent
   alone; nothing here reads HTML. The scripts share one scope, and `start.js` runs last. */
const data = {};
const RIGHT = 2, WRONG = 1, SILENT = 0;
const byId = (id) => document.getElementById(id);
const range = (length) => [...Array(length).keys()];

/* Base 85: five characters hold four bytes, and the last n + 1 hold n. "," is in place of "<". */
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~";

function decoded(text) {
  const values = new Uint8Array(128), bytes = new Uint8Array(4 * Math.ceil(text.length / 5)), view = new DataView(bytes.buffer);
  for (let value = 0; value < 85; value++) values[DIGITS.charCodeAt(value)] = value;
  for (let at = 0, to = 0; at < text.length; to += 4) {
    let word = 0;
    for (const end = at + 5; at < end; at++) word = 85 * word + (at < text.length ? values[text.charCodeAt(at)] : 84);
    view.setUint32(to, word);
  }
  return bytes.subarray(0, Math.floor(4 * text.length / 5));
}

async function unpacked(id) {
  const bytes = decoded(byId(id).textContent);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

async function readData() {
  Object.assign(data, await unpacked("item-data"));
  const { arms, languages, items } = data;
  items.forEach((item, place) => { item.texts = data.texts.map((column) => column[place]); });
  delete data.texts;
  data.every = range(items.length);
  data.armNumbers = range(arms.length);
  data.languageNumbers = range(languages.length);
  /* The arm under study: the last, unless that is the baseline. */
  data.subject = arms.length > 1 && data.baseline === arms.length - 1 ? 0 : arms.length - 1;
  data.other = data.subject === data.baseline ? arms.findIndex((_, arm) => arm !== data.subject) : data.baseline;
  /* A benchmark whose languages have questions of their own has each in one language. */
  data.parallel = items.every((item) => item.texts.every((texts) => texts !== null));
  data.verdicts = new Uint8Array(items.length * arms.length * languages.length);
  useWording(0);
}

/* Show the answers under this wording of the prompt. */
function useWording(place) {
  data.wording = place;
  let at = 0;
  for (const item of data.every) for (const arm of data.armNumbers) for (const language of data.languageNumbers) {
    data.verdicts[at++] = judged(item, arm, language);
  }
}

const languageTitle = ({ name, code }) => name === code ? code : `${name} · ${code}`;
const isAsked = (item, language) => data.items[item].texts[language] !== null;
/* In free text without known answers, a reply is as right as the words that it shares with a reference. */
const isOpen = (item) => data.items[item].ids.length === 0;
/* What the arms answered to an item under the wording shown. */
const saidTo = (item) => data.said[data.wording][item];
const answerOf = (item, arm, language) => saidTo(item).answers[arm][language];
const scoreOf = (item, arm, language) => saidTo(item).scores[arm][language];
const replyOf = (item, arm, language) => saidTo(item).replies?.[arm][language] ?? "";
/* What tells two answers apart: the option, or the reply in free text. */
const saidBy = (item, arm, language) => isOpen(item) ? replyOf(item, arm, language).trim() : answerOf(item, arm, language);

function judged(item, arm, language) {
  if (isOpen(item)) {
    const score = scoreOf(item, arm, language);
    return score === null ? SILENT : score === 1 ? RIGHT : WRONG;
  }
  const answer = answerOf(item, arm, language);
  return answer < 0 ? SILENT : answer === data.items[item].gold ? RIGHT : WRONG;
}

const verdict = (item, arm, language) =>
  data.verdicts[(item * data.arms.length + arm) * data.languages.length + language];
const f1Text = (item, arm, language) => `F1 ${scoreOf(item, arm, language).toFixed(2)}`;

function verdictText(item, arm, language) {
  const found = verdict(item, arm, language);
  return isOpen(item) && found !== SILENT ? f1Text(item, arm, language) : ["no answer", "wrong", "right"][found];
}

function rightCount(item, arm) {
  const value = (language) => isOpen(item) ? scoreOf(item, arm, language) ?? 0 : Number(verdict(item, arm, language) === RIGHT);
  return data.languageNumbers.reduce((sum, language) => sum + value(language), 0);
}

function make(tag, options = {}, children = []) {
  const { text, kind, ...attributes } = options;
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (kind) node.className = kind;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/* A text with the words that are searched for marked in it. */
function marked(tag, text, options = {}) {
  const node = make(tag, options), lower = text.toLocaleLowerCase();
  const places = lower.length === text.length ? state.words.flatMap((word) => placesOf(word, lower)) : [];
  let done = 0;
  for (const [start, end] of places.sort((a, b) => a[0] - b[0])) {
    if (start < done) continue;
    node.append(text.slice(done, start), make("mark", { text: text.slice(start, end) }));
    done = end;
  }
  node.append(text.slice(done));
  return node;
}

function placesOf(word, text) {
  const found = [];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) found.push([at, at + word.length]);
  return found;
}
