import { InvalidArgumentError } from 'commander';

export function id(text: string): number {
  const number = /^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new InvalidArgumentError('It must be an id.');
  return number;
}

export function position(text: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** @returns ms since the epoch */
export function time(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new InvalidArgumentError('It must be a time such as 2026-11-24T09:00:00Z.');
  return ms;
}

export function status(text: string): number {
  const number = /^[2-5][0-9]{2}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(number)) throw new InvalidArgumentError('It must be a status from 200 to 599.');
  return number;
}
