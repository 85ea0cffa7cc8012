// A form from a JSON schema and a value: what the daemon describes in its
// openapi.json, filled with what a device has answered.
import { button, h } from './core.js';
import { currentLanguage, t } from './i18n.js';
import { codes, nameOf } from './words.js';

const inEdition = (schema, edition) => !schema['x-editions'] || schema['x-editions'].includes(edition);
// Sums are counted by who writes the list: they are neither shown nor sent.
const isCount = (schema) => schema.type === 'integer' && schema.minimum === undefined;

// { root, read() }: read gives undefined for what is empty. free: it is part of what
// may be left out as a whole.
export function build(schema, value, edition, name = '', free = false) {
  if (schema.type === 'object') return group(schema, value ?? {}, edition, name, free || (value === undefined && schema['x-required-in']?.includes(edition) === false));
  if (schema.type === 'array') return list(schema, value ?? [], edition, name);
  return scalar(schema, value, edition, name, free);
}

function group(schema, value, edition, name, free) {
  const fields = Object.entries(schema.properties ?? {}).filter(([, s]) => inEdition(s, edition) && !isCount(s))
    .map(([key, s]) => [key, build(s, value[key], edition, key, free)]);
  const root = h('fieldset', {}, name ? h('legend', { text: nameOf(name), title: name }) : '', fields.map(([, f]) => f.root));
  return {
    root,
    read: () => {
      const got = fields.map(([key, f]) => [key, f.read()]).filter(([, v]) => v !== undefined);
      return got.length ? Object.fromEntries(got) : undefined;
    },
  };
}

function list(schema, value, edition, name) {
  const items = new Set();
  const body = h('div', { class: 'stack' });
  const add = (v) => {
    const f = build(schema.items, v, edition);
    const box = h('div', { class: 'item' }, f.root, button('removeItem', () => { items.delete(f); box.remove(); }));
    items.add(f);
    body.append(box);
  };
  for (const v of value) add(v);
  return {
    root: h('fieldset', {}, h('legend', { text: nameOf(name), title: name }), body,
      button('addItem', () => { if (items.size < schema.maxItems) add(undefined); })),
    read: () => { const got = [...items].map((f) => f.read()).filter((v) => v !== undefined); return got.length || value.length ? got : undefined; },
  };
}

function input(schema, value, name, required) {
  const known = codes(name, currentLanguage()) ?? schema.enum?.map((w) => [w, w]) ?? (schema.maximum === 1 ? [['0', t('isOff')], ['1', t('isOn')]] : null);
  if (known) {
    const options = known.map(([v, text]) => [String(v), text]);
    if (value === undefined || !required) options.unshift(['', '–']);
    if (value !== undefined && !options.some(([v]) => v === String(value))) options.push([String(value), String(value)]);
    return h('select', { required, value: value === undefined ? '' : String(value) }, options.map(([v, text]) => h('option', { value: v, text })));
  }
  if (schema.type === 'integer') return h('input', { type: 'number', step: 1, min: schema.minimum, max: schema.maximum, required, value: value ?? '' });
  if (schema.type === 'number') return h('input', { type: 'number', step: 'any', required, value: value ?? '' });
  return h('input', { type: schema.writeOnly ? 'password' : 'text', autocomplete: 'off', required, value: value ?? '' });
}

function scalar(schema, value, edition, name, free) {
  const box = input(schema, value, name, !free && (schema['x-required-in']?.includes(edition) ?? false));
  return {
    root: h('label', {}, h('span', { text: nameOf(name) || t('value'), title: name }), box),
    read: () => (box.value === '' ? undefined : schema.type === 'string' ? box.value : Number(box.value)),
  };
}

// A value to be read alone.
export function table(value) {
  if (Array.isArray(value)) return h('ol', {}, value.map((v) => h('li', {}, table(v))));
  if (value !== null && typeof value === 'object') {
    return h('dl', { class: 'pairs' }, Object.entries(value).flatMap(([k, v]) => [h('dt', { text: nameOf(k), title: k }), h('dd', {}, table(v))]));
  }
  return h('span', { text: String(value) });
}
