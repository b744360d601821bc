const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = `(?<month>${MONTHS.join('|')})`;
const TIME = '(?<hour>[01]\\d|2[0-3]):(?<minute>[0-5]\\d):(?<second>[0-5]\\d|60)';

/** The forms of a date, today's and two obsolete ones: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7 */
const DATES = [
  `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT`,
  `(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT`,
  `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})`,
].map((form) => new RegExp(`^${form}$`));

/** A year of two digits that seems more than so far ahead is of the past. */
const AHEAD_YEARS = 50;

/**
 * Before when an answer asks that no further request be made, in ms since the epoch; undefined where its Retry-After says nothing of the kind.
 * https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 * @param field the value of the header
 * @param answeredMs when the answer was there
 */
export function retryAfterMs(field: string, answeredMs: number): number | undefined {
  return /^\d+$/.test(field) ? answeredMs + Number(field) * 1_000 : dateMs(field, answeredMs);
}

function dateMs(text: string, nowMs: number): number | undefined {
  const parts = DATES.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (!parts) return undefined;
  const [year, day, hour, minute, second] = ['year', 'day', 'hour', 'minute', 'second'].map((part) =>
    Number(parts[part]),
  ) as [number, number, number, number, number];
  const month = MONTHS.indexOf(parts.month ?? '');
  const fullYear = parts.year?.length === 2 ? withCentury(year, nowMs) : year;
  const isDay = day >= 1 && day <= new Date(Date.UTC(fullYear, month + 1, 0)).getUTCDate();
  return isDay ? Date.UTC(fullYear, month, day, hour, minute, second) : undefined;
}

function withCentury(year: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const full = thisYear - (thisYear % 100) + year;
  return full > thisYear + AHEAD_YEARS ? full - 100 : full;
}
