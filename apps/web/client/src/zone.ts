import type { Zone } from './format.ts';

const KEY = 'tickfold.zone';

/** The zone that this browser was last switched to; New York, where the exchanges are, until then. */
export function readZone(): Zone {
  try {
    return localStorage.getItem(KEY) === 'utc' ? 'utc' : 'new-york';
  } catch {
    return 'new-york'; // storage can be forbidden; the switch then lasts until the page is closed
  }
}

export function storeZone(zone: Zone): void {
  try {
    localStorage.setItem(KEY, zone);
  } catch {
    // forbidden, as above
  }
}
