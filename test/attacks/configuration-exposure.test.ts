/**
 * T12: what an agent is made of stays where it is. Of prompt, tools and configuration the outside sees one digest, the
 * checksum; the store keeps digests of the parts; a model is told its own agent's, and an agent can read its own.
 * (That no error, refusal or log line quotes a prompt: test/errors.)
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getConfig } from '@langchain/langgraph'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { z } from 'zod'
import { agentsCommand } from '../../runtime/cli/agents.js'
import { auditVerifyCommand } from '../../runtime/cli/audit.js'
import { inspectCommand } from '../../runtime/cli/inspect.js'
import { outcomeJson } from '../../runtime/cli/outcome.js'
import { runsCommand } from '../../runtime/cli/runs.js'
import { sha256Hex } from '../../runtime/encoding/digest.js'
import type { AgentContext, AgentDefinition } from '../../runtime/index.js'
import type { RunResult } from '../../runtime/runtime.js'
import { attack } from '../support/attack.js'
import { agents } from '../support/ledger.js'
import {
  type AgentName,
  agentNames,
  type MarkedHouse,
  markedHouse,
  marksOf,
  unfolded,
} from '../support/marked-house.js'
import { reachable } from '../support/reachable.js'
import { asks, ScriptedModel, says } from '../support/scripted-model.js'

const allMarks = agentNames.flatMap(marksOf)
const marksIn = (text: string) => allMarks.filter((mark) => text.includes(mark))

let house: MarkedHouse
/** What the reader's code could get hold of, and what is its own. */
const reached = { given: '', own: '' }
const model = new ScriptedModel([
  asks(['ledger__read', { account: 'acme' }]),
  says('read'),
  asks(['ledger__pay', { account: 'acme', amount: 40 }]),
  says('paid'),
])

async function look(this: AgentDefinition, context: AgentContext, input: { input: { account: string } }) {
  const call = context.tool('ledger/read')
  const refused = [call({ account: 'mallory' }), context.tool('ledger/pay')({ account: 'acme' })]
  const outcomes = await Promise.allSettled([...refused, call({ ...input.input })])
  reached.given = reachable([context, input, call, outcomes, getConfig()])
  const tools = this.tools.map(({ description, parameters }) => [description, z.toJSONSchema(parameters)])
  reached.own = JSON.stringify([this.prompt, this.configuration, tools])
  context.log('looked')
  return {}
}

const driven = { task: () => 'Do it.', conclude: (calls: readonly unknown[]) => ({ calls: calls.length }) }

beforeAll(async () => {
  house = await markedHouse(mkdtempSync(join(tmpdir(), 'baton-marked-')), {
    reader: { ...driven, run: look },
    payer: driven,
  })
  const scripted = await house.run()
  const withModel = await house.run({ model: { name: 'test:model', chat: model } })
  expect([scripted.status, withModel.status]).toEqual(['completed', 'completed'])
  await house.close()
  await printEverything(scripted)
})

afterAll(() => rmSync(house.state, { recursive: true, force: true }))

/** What the command line prints of it all. */
async function printEverything(result: RunResult): Promise<void> {
  const { state, outside, program } = house
  const { run } = result
  const printed = (name: string, command: (write: (line: string) => void) => Promise<number>) => {
    const lines: string[] = []
    return command((line) => lines.push(line)).then((code) => {
      expect([name, code]).toEqual([name, 0])
      outside.set(`baton ${name}`, lines.join('\n'))
    })
  }
  outside.set(
    'baton run',
    JSON.stringify(outcomeJson(result, program, { records: 0, root: '', verified: true })),
  )
  for (const json of [false, true]) {
    const flags = { state, json }
    await printed(`agents ${json}`, (write) => agentsCommand(flags, write))
    await printed(`runs ${json}`, (write) => runsCommand(undefined, flags, write))
    await printed(`runs RUN ${json}`, (write) => runsCommand(run, flags, write))
    await printed(`audit verify ${json}`, (write) => auditVerifyCommand(flags, write))
  }
  await printed('inspect RUN pay', (write) => inspectCommand(run, 'pay', { state }, write))
  const [token = ''] = /eyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(outside.get('requests') ?? '') ?? []
  await printed('inspect TOKEN', (write) => inspectCommand(token, undefined, { state }, write))
}

/** What a party other than the operator can see: everything but what the registrations are told in. */
const places = () => [...house.outside].filter(([place]) => !/registrations|agents|files/.test(place))

describe('prompt, tools and configuration', () => {
  attack('T12', 'come out nowhere: tokens, calls, receipts, log, events, files, command line', () => {
    const found = [...house.outside].map(([place, text]) => [place, marksIn(unfolded(text))])
    expect(found).toEqual([...house.outside.keys()].map((place) => [place, []]))
    expect(house.outside.size).toBeGreaterThan(20)
    for (const [place, text] of house.outside) expect([place, text.length > 20]).toEqual([place, true])
    // One that came out would be found, also in a token in a text.
    const hidden = Buffer.from(`{"a":"${allMarks[0]}"}`).toString('base64url')
    expect(marksIn(unfolded(JSON.stringify({ chain: [`eyJ.${hidden}.c2ln`] })))).toEqual([allMarks[0]])
  })

  attack('T12', 'are told as one checksum, and the digests of their parts to the operator alone', () => {
    const registrations = house.reports.map(({ registration }) => registration)
    const checksums = registrations.map(({ agentChecksum }) => agentChecksum)
    const named = (place: string) => checksums.filter((checksum) => textOf(place).includes(checksum)).length
    for (const place of ['details', 'results', 'the log', 'the other tables', 'baton agents true'])
      expect([place, named(place)]).toEqual([place, agentNames.length])
    expect(named('requests')).toBeGreaterThan(1)
    expect(named('baton inspect TOKEN')).toBe(1)

    const parts = registrations.flatMap(({ components: { prompt, tools, configuration } }) =>
      [prompt, configuration, ...Object.values(tools)].map((digest) => digest.slice('sha256:'.length)),
    )
    const exact = agentNames.map((name) => sha256Hex(`${agents[name].prompt} ${marksOf(name)[0]}`))
    for (const [place, text] of places())
      expect([place, [...parts, ...exact].filter((digest) => unfolded(text).includes(digest))]).toEqual([
        place,
        [],
      ])
    for (const digest of parts) expect(textOf('the registrations')).toContain(digest)
  })

  attack('T12', 'of others are out of reach for an agent, which can read its own', () => {
    expect(reached.given.length).toBeGreaterThan(200)
    expect(reached.given).toContain('ERR_ARGUMENT_REFUSED')
    expect(marksIn(reached.given)).toEqual([])
    expect(marksIn(reached.own)).toEqual(marksOf('reader'))
  })

  attack('T12', 'of others are not told to the model that drives an agent, its own are', () => {
    const told = model.asked.map((messages) => marksIn(JSON.stringify(messages)))
    const prompt = (name: AgentName) => [marksOf(name)[0]]
    expect(told).toEqual([prompt('reader'), prompt('reader'), prompt('payer'), prompt('payer')])
    const [forReader, forPayer] = model.boundTools.map((tool) => marksIn(JSON.stringify(tool)))
    expect(forReader).toEqual(marksOf('reader').slice(3))
    expect(forPayer).toEqual(marksOf('payer').slice(3))
  })
})

function textOf(place: string): string {
  return unfolded(house.outside.get(place) ?? '')
}
