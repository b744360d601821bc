import htm from 'htm';
import { h, type VNode } from 'preact';

/** Elements from a template, without a build: https://github.com/developit/htm */
export const html = htm.bind(h) as (strings: TemplateStringsArray, ...values: readonly unknown[]) => VNode;
