import { closest } from "../../units/index.ts";
import type { XmlNode } from "./xml.ts";

/** What became of a part of the domain. */
export type Verdict = "kept" | "improved" | "dropped";

export interface ReportLine {
  readonly verdict: Verdict;
  /** Where it is: "devices/disk[2]/driver@cache". */
  readonly path: string;
  readonly line: number;
  readonly column: number;
  /** What is lost and what to do, or why it is better. Empty for what is kept as it is. */
  readonly note: string;
}

/** The lines of a report, in the order of the document. */
export class Report {
  private readonly list: ReportLine[] = [];

  add(line: ReportLine): void {
    this.list.push(line);
  }

  lines(): readonly ReportLine[] {
    return [...this.list].sort((a, b) => a.line - b.line || a.column - b.column);
  }
}

/**
 * An element while it is read. What nobody asks for is reported as dropped in the end, so that nothing is lost in
 * silence.
 */
export class Reading {
  readonly node: XmlNode;
  readonly path: string;
  private readonly report: Report;
  private readonly inside: readonly Reading[];
  private readonly asked = new Set<string>();
  private readonly readAttributes = new Set<string>();
  private isRead = false;
  private isSettled = false;
  private isImproved = false;
  private textIsRead = false;

  constructor(node: XmlNode, report: Report, path = "") {
    this.node = node;
    this.report = report;
    this.path = path;
    const counts = new Map<string, number>();
    for (const { name } of node.children) counts.set(name, (counts.get(name) ?? 0) + 1);
    const seen = new Map<string, number>();
    this.inside = node.children.map((child) => {
      const number = (seen.get(child.name) ?? 0) + 1;
      seen.set(child.name, number);
      const index = (counts.get(child.name) ?? 0) > 1 ? `[${number}]` : "";
      const step = `${child.name.replace(/^\{.*\}/, "")}${index}`;
      return new Reading(child, report, path === "" ? step : `${path}/${step}`);
    });
  }

  /** The first element of this name. */
  one(name: string): Reading | undefined {
    return this.all(name)[0];
  }

  /** Every element of this name. */
  all(name: string): readonly Reading[] {
    this.isRead = true;
    this.asked.add(name);
    const found = this.inside.filter(({ node }) => node.name === name);
    // That it is there may be all that it says.
    for (const each of found) each.isRead = true;
    return found;
  }

  /** Every element in it. */
  every(): readonly Reading[] {
    for (const { node } of this.inside) this.asked.add(node.name);
    this.isRead = true;
    return this.inside;
  }

  attribute(name: string): string | undefined {
    this.isRead = true;
    this.readAttributes.add(name);
    return this.node.attributes.get(name);
  }

  /** The text, or undefined where there is none. */
  text(): string | undefined {
    this.isRead = true;
    this.textIsRead = true;
    return this.node.text === "" ? undefined : this.node.text;
  }

  /** It is in the profile, and better. What of it nobody asked for is dropped all the same. */
  improve(note: string): void {
    this.isRead = true;
    this.isImproved = true;
    this.tell("improved", this.path, note);
  }

  /** It is in the profile by another way, and better, with all that is in it. */
  replace(note: string): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.tell("improved", this.path, note);
  }

  /** It is not in the profile, with all that is in it. */
  drop(note: string): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.tell("dropped", this.path, note);
  }

  /** It says what holds anyway, with all that is in it. */
  keep(): void {
    if (this.isSettled) return;
    this.isSettled = true;
    if (!this.isImproved) this.tell("kept", this.path, "");
  }

  /** An attribute is not in the profile. */
  dropAttribute(name: string, note: string): void {
    this.readAttributes.add(name);
    this.tell("dropped", `${this.path}@${name}`, note);
  }

  /** Reports what nobody asked for. A settled element is told with what is in it. */
  finish(): void {
    if (this.isSettled) return;
    if (!this.isRead && this.path !== "") {
      this.tell("dropped", this.path, `qlaunch knows no ${this.node.name}`);
      return;
    }
    for (const name of this.node.attributes.keys()) {
      if (this.readAttributes.has(name)) continue;
      const meant = closest(name, [...this.readAttributes]);
      const hint = meant === undefined ? "" : `; is it "${meant}"?`;
      this.tell("dropped", `${this.path}@${name}`, `${this.node.attributes.get(name)}: not read${hint}`);
    }
    if (this.node.text !== "" && !this.textIsRead)
      this.tell("dropped", this.path, `the text "${this.node.text}"`);
    for (const child of this.inside) child.finish();
    const isGroup = this.inside.length > 0 && this.node.attributes.size === 0 && !this.textIsRead;
    if (this.path !== "" && !isGroup && !this.isImproved) this.tell("kept", this.path, "");
  }

  private tell(verdict: Verdict, path: string, note: string): void {
    const { line, column } = this.node;
    this.report.add({ verdict, path: path === "" ? "domain" : path, line, column, note });
  }
}
