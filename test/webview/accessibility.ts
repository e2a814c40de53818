// axe-core in the page under test: what it finds serious or critical, a line each.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation { readonly id: string; readonly impact: string | null; readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[] }

/**
 * Findings of WCAG 2.2 A and AA, and of best practice, that are serious or critical: `rule: element: what to do`.
 * @param without rules that do not fit, each with its reason where it is named
 */
export async function seriousFindings(page: Page, without: readonly string[] = []): Promise<string[]> {
  // By the debugger, which the page's Content-Security-Policy does not bind.
  await page.evaluate(source);
  const violations = await page.evaluate(async rules => {
    const { axe } = window as unknown as { axe: { run(context: Document, options: object): Promise<{ violations: Violation[] }> } };
    return (await axe.run(document, { resultTypes: ['violations'], rules: Object.fromEntries(rules.map(rule => [rule, { enabled: false }])) })).violations;
  }, [...without]);
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)}: ${failureSummary ?? ''}`));
}
