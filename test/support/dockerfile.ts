import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Copy, DockerfileParser, type From, type Instruction, type ModifiableInstruction } from 'dockerfile-ast';

const FILE = join(import.meta.dirname, '../../Dockerfile');

export interface Stage {
  readonly name: string;
  /** An image, or the name of an earlier stage. */
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

/** The stages of the Dockerfile, in their order. */
export function readStages(): Stage[] {
  const stages: { name: string; from: string; instructions: Instruction[] }[] = [];
  for (const instruction of DockerfileParser.parse(readFileSync(FILE, 'utf8')).getInstructions()) {
    if (instruction.getKeyword() !== 'FROM') stages.at(-1)?.instructions.push(instruction);
    else {
      const from = instruction as From;
      stages.push({ name: from.getBuildStage() ?? '', from: from.getImage() ?? '', instructions: [] });
    }
  }
  return stages;
}

/** All instructions that an image has, those of the stages that it is built on first. */
export function instructionsOf(name: string): Instruction[] {
  const stage = readStages().find((each) => each.name === name);
  return stage ? [...instructionsOf(stage.from), ...stage.instructions] : [];
}

/** What counts of an instruction that replaces the one before. */
export function lastOf(name: string, keyword: string): Instruction | undefined {
  return instructionsOf(name).findLast((instruction) => instruction.getKeyword() === keyword);
}

/** The words of an instruction in exec form; undefined where it is in shell form, or absent. */
export function wordsOf(instruction: Instruction | undefined): string[] | undefined {
  const [, list] = /^(?:CMD\s+)?(\[.*\])$/s.exec(instruction?.getArgumentsContent()?.trim() ?? '') ?? [];
  return list === undefined ? undefined : JSON.parse(list);
}

/** The flags of an instruction, as `name=value`. */
export function flagsOf(instruction: Instruction | undefined): string[] {
  const flags = (instruction as ModifiableInstruction | undefined)?.getFlags() ?? [];
  return flags.map((flag) => `${flag.getName()}=${flag.getValue()}`);
}

/** The environment that an image sets. */
export function environmentOf(name: string): Record<string, string> {
  const pairs = instructionsOf(name)
    .filter((instruction) => instruction.getKeyword() === 'ENV')
    .flatMap((instruction) => instruction.getArguments().map((argument) => argument.getValue()));
  return Object.fromEntries(pairs.map((pair) => pair.split(/=(.*)/s, 2) as [string, string]));
}

export interface Copied {
  readonly sources: readonly string[];
  readonly target: string;
  /** The stage that it comes from; undefined: the build context. */
  readonly stage: string | undefined;
}

/** What COPY puts into an image. */
export function copiedInto(name: string): Copied[] {
  return instructionsOf(name)
    .filter((instruction) => instruction.getKeyword() === 'COPY')
    .map((instruction) => {
      const words = instruction.getArguments().map((argument) => argument.getValue());
      const stage = (instruction as Copy).getFromFlag()?.getValue() ?? undefined;
      return { sources: words.slice(0, -1), target: words.at(-1) ?? '', stage };
    });
}
