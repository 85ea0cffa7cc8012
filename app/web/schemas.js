// What the daemon describes in its openapi.json, read once.
import { call } from './core.js';

export const EDITIONS = { '1.0': '2011', 1.1: '2014', '2.0': '2016', '3.0': '2022' }; // X-GB-Ver

// What a device speaks: as it was set here, or as it says.
export const editionOf = (about) => (about.edition_set !== 'auto' && about.edition_set) || EDITIONS[about.edition] || '2016';

let all;

// By their names; null when the server does not answer.
export async function schemas() {
  if (!all) {
    const r = await call('GET', '/openapi.json');
    if (!r.ok) return null;
    all = r.data.components.schemas;
  }
  return all;
}
