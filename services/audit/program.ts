import { Command, InvalidArgumentError, Option } from 'commander';
import { NewerFact } from '../../domain/upcast.ts';
import { StoreUnavailable } from '../../infra/event-store/errors.ts';
import { CannotStart } from '../../infra/local/cannot-start.ts';
import { SettingError } from '../../infra/settings.ts';
import { id, position, time } from '../arguments.ts';
import { replay } from './replay.ts';
import { SHOWN, show } from './show.ts';
import { withLog } from './source.ts';
import { verify } from './verify.ts';

/** The exit code where what was looked at is not as it should be. */
const NOT_AS_IT_SHOULD_BE = 1;

/** The commands that look into the event log, under this name. */
export function auditProgram(name: string): Command {
  const program = new Command(name).description(
    'Looks into the event log: EVENTSTORE_URL, or the local store under DATA_DIR, whether it runs or not. Changes nothing.',
  );

  program
    .command('replay')
    .description('prints facts, in the order of the log, a JSON object a line')
    .option('--channel <id>', 'of this channel, its webhooks, events and deliveries', id)
    .option('--webhook <id>', 'of this webhook and the deliveries to it', id)
    .option('--event <id>', 'about this event', id)
    .option('--type <name...>', 'of these types, such as DeliveryAttempted')
    .option('--since <time>', 'recorded then or later', time)
    .option('--until <time>', 'recorded before then', time)
    .option('--after <position>', 'from behind this position of the log', position)
    .option('--follow', 'and those that come, until it is stopped')
    .action((options) => withLog((log, signal) => replay(log, options, signal)));

  program
    .command('show')
    .description('prints a channel, a webhook or the notification log of an event as it is, or was, as JSON')
    .argument('<what>', SHOWN.join(', '), oneOf(SHOWN))
    .argument('<id>', 'of the channel, webhook or event', id)
    .option('--at <time>', 'as it was then', time)
    .addOption(
      new Option('--revision <n>', 'as this revision of its stream left it').argParser(position).conflicts('at'),
    )
    .option('--skipped', 'of a log: also the webhooks of the channel that were not sent the event, and why')
    .action((what, of, options) => withLog(({ store }, signal) => show(store, { what, id: of, ...options }, signal)));

  program
    .command('verify')
    .description(
      'makes the read models and the tree anew from the log, and compares them with the live ones and with heads',
    )
    .option('--head <file...>', 'heads that you kept: answers of GET /v1/checkpoint')
    .option('--public-key <base64>', 'the key that must have signed them; absent: the one that each names')
    .option('--scratch <dir>', 'where what is made anew lies meanwhile; absent: the directory for temporary files')
    .action((options) =>
      withLog(async (log, signal) => {
        if (!(await verify(log, options, signal))) process.exitCode = NOT_AS_IT_SHOULD_BE;
      }),
    );
  return program;
}

function oneOf<const T extends readonly string[]>(choices: T) {
  return (text: string): T[number] => {
    if (!choices.includes(text)) throw new InvalidArgumentError(`It must be one of ${choices.join(', ')}.`);
    return text;
  };
}

/** What its user can mend, in one line; undefined for what is our own fault. */
export function mendable(error: unknown): string | undefined {
  if (error instanceof CannotStart || error instanceof SettingError || error instanceof NewerFact) return error.message;
  if (error instanceof StoreUnavailable) return `${error.message}: ${(error.cause as Error).message}`;
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? undefined : message;
}
