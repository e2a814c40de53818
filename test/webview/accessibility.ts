// axe-core in the page under test: what it finds serious or critical, a line each.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation { readonly id: string; readonly impact: string | null; readonly nodes: readonly { readonly html: string; readonly target: readonly string[]; readonly failureSummary?: string }[] }

/**
 * Findings of WCAG 2.2 A and AA, and of best practice, that are serious or critical: `rule: element: what to do`.
 * @param excused rule → selector of the elements that it does not fit, with its reason where it is named
 */
export async function seriousFindings(page: Page, excused: Readonly<Record<string, string>> = {}): Promise<string[]> {
  // By the debugger, which the page's Content-Security-Policy does not bind.
  await page.evaluate(source);
  const violations = await page.evaluate(async selectors => {
    const { axe } = window as unknown as { axe: { run(context: Document, options: object): Promise<{ violations: Violation[] }> } };
    const { violations: found } = await axe.run(document, { resultTypes: ['violations'] });
    const isExcused = (selector: string, [target]: Violation['nodes'][number]['target']): boolean => target !== undefined && document.querySelector(target)?.matches(selector) === true;
    return found.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.filter(({ target }) => { const selector = selectors[id]; return selector === undefined || !isExcused(selector, target); }) }));
  }, excused);
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)}: ${failureSummary ?? ''}`));
}
