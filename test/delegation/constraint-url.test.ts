import { describe, expect, it } from 'vitest'
import { checkConstraint } from '../../runtime/delegation/check-constraint.js'
import { parseConstraint } from '../../runtime/delegation/constraint.js'
import type { UrlRule } from '../../runtime/delegation/constraint-url.js'
import { subsumes } from '../../runtime/delegation/subsumes.js'
import { expectCode } from '../support/expect-code.js'

const url = (rule: Partial<UrlRule>) =>
  parseConstraint({ constraint_type: 'url', scheme: 'https', port: 443, ...rule })
const api = url({ host: 'api.example.com', path: '/v1' })
const suffix = url({ host_suffix: 'example.com' })

describe('url', () => {
  it('admits its host, port and path by whole segments', () => {
    for (const text of [
      'https://api.example.com/v1',
      'https://api.example.com/v1/',
      'https://api.example.com:443/v1/items',
      'https://api.example.com/v1/items?q=a%20b&x=../..',
      'https://api.example.com/v1/a%20b/@me',
    ]) {
      expect(checkConstraint(api, text), text).toBe(true)
    }
    expect(checkConstraint(url({ host: 'api.example.com' }), 'https://api.example.com')).toBe(true)
    expect(checkConstraint(url({ host: 'h', port: 8443 }), 'https://h:8443/x')).toBe(true)
  })

  it('refuses another scheme, host, port or path', () => {
    for (const text of [
      'http://api.example.com/v1',
      'https://api.example.com.evil.com/v1',
      'https://xapi.example.com/v1',
      'https://evil.com/api.example.com/v1',
      'https://api.example.com:8443/v1',
      'https://api.example.com/v10',
      'https://api.example.com/v2',
      'https://api.example.com',
      '//api.example.com/v1',
      'api.example.com/v1',
      'javascript://api.example.com/v1',
    ]) {
      expect(checkConstraint(api, text), text).toBe(false)
    }
  })

  it('refuses what parsers disagree about', () => {
    for (const text of [
      'https://user@api.example.com/v1',
      'https://user:pw@api.example.com/v1',
      'https://api.example.com@evil.com/v1',
      'https://evil.com\\@api.example.com/v1',
      'https://api.example.com\\@evil.com/v1',
      'https://api.example.com#@evil.com/v1',
      'https://api.example.com/v1#fragment',
      'https:/api.example.com/v1',
      'https:\\\\api.example.com/v1',
      'https://api.example.com./v1',
      'https://API.example.com/v1',
      'HTTPS://api.example.com/v1',
      'https://api%2eexample.com/v1',
      'https://api.example.com:0443/v1',
      'https://api.example.com:/v1',
      ' https://api.example.com/v1',
      'https://api.exa\tmple.com/v1',
      'https://api.example.com/v1\n',
      'https://api.example.com/v1/\u0000',
      'https://api\uff0eexample.com/v1',
      'https://\u0430pi.example.com/v1',
    ]) {
      expect(checkConstraint(api, text), JSON.stringify(text)).toBe(false)
    }
  })

  it('refuses paths that a server may decode or resolve into another one', () => {
    for (const path of [
      '/v1/../admin',
      '/v1/..',
      '/v1/./a',
      '/v1/%2e%2e/admin',
      '/v1/%2E./admin',
      '/v1%2f..%2fadmin',
      '/v1/%2Fadmin',
      '/v1/%5c..%5cadmin',
      '/v1/%252e%252e/admin',
      '/v1/..;/admin',
      '/v1/a;b=c',
      '/v1/%3b',
      '/v1//admin',
      '//v1',
      '/v1/%00',
      '/v1/%0d%0aX: y',
      '/v1/%zz',
      '/v1/a b',
      '/v1/\u00e9',
      '/%76%31/a',
    ]) {
      expect(checkConstraint(api, `https://api.example.com${path}`), path).toBe(false)
    }
  })

  it('matches a suffix at a dot, and no address', () => {
    expect(checkConstraint(suffix, 'https://example.com/')).toBe(true)
    expect(checkConstraint(suffix, 'https://a.b.example.com/')).toBe(true)
    for (const host of [
      'badexample.com',
      'example.com.evil.com',
      'example.com.',
      '127.0.0.1',
      '[::1]',
      '.example.com',
    ]) {
      expect(checkConstraint(suffix, `https://${host}/`), host).toBe(false)
    }
  })

  it('admits an address only when it is exact and canonical', () => {
    const loopback = url({ scheme: 'http', host: '127.0.0.1', port: 8080 })
    expect(checkConstraint(loopback, 'http://127.0.0.1:8080/a')).toBe(true)
    for (const host of ['127.1', '2130706433', '0x7f.0.0.1', '0177.0.0.1', '[::ffff:7f00:1]', '127.0.0.1.']) {
      expect(checkConstraint(loopback, `http://${host}:8080/a`), host).toBe(false)
    }
    const six = url({ host: '[::1]' })
    expect(checkConstraint(six, 'https://[::1]/a')).toBe(true)
    expect(checkConstraint(six, 'https://[0:0:0:0:0:0:0:1]/a')).toBe(false)
  })

  it('refuses a rule that is not explicit or not canonical', async () => {
    for (const rule of [
      {},
      { host: 'a.com', host_suffix: 'a.com' },
      { host: 'A.com' },
      { host: 'a.com.' },
      { host: '127.1' },
      { host: 'a.com:443' },
      { host: 'bücher.de' },
      { host_suffix: '.a.com' },
      { host_suffix: 'a.com.' },
      { host_suffix: 'xn--a.com' },
      { host: 'xn--a.com' },
      { host_suffix: '1.2.3.4' },
      { host_suffix: '[::1]' },
      { host: 'a.com', port: 0 },
      { host: 'a.com', port: 65536 },
      { host: 'a.com', port: '443' },
      { host: 'a.com', scheme: 'ftp' },
      { host: 'a.com', scheme: 'constructor' },
      { host: 'a.com', path: 'v1' },
      { host: 'a.com', path: '/v1/' },
      { host: 'a.com', path: '/v1/../a' },
      { host: 'a.com', query: 'x' },
    ]) {
      await expectCode(() => url(rule as Partial<UrlRule>), 'ERR_CONSTRAINT_INVALID')
    }
    await expectCode(
      () => parseConstraint({ constraint_type: 'url', scheme: 'https', host: 'a.com' }),
      'ERR_CONSTRAINT_INVALID',
    )
    expect(url({ host: 'xn--bcher-kva.de', path: '/' })).toMatchObject({ host: 'xn--bcher-kva.de' })
  })

  it('subsumes what names no other place', () => {
    expect(subsumes(suffix, url({ host: 'a.example.com' }))).toBe(true)
    expect(subsumes(suffix, url({ host_suffix: 'a.example.com', path: '/x' }))).toBe(true)
    expect(subsumes(suffix, suffix)).toBe(true)
    expect(subsumes(suffix, url({ host_suffix: 'com' }))).toBe(false)
    expect(subsumes(suffix, url({ host: 'badexample.com' }))).toBe(false)
    expect(subsumes(url({ host: 'example.com' }), suffix)).toBe(false)
    expect(subsumes(api, url({ host: 'api.example.com', path: '/v1/items' }))).toBe(true)
    expect(subsumes(api, url({ host: 'api.example.com', path: '/v10' }))).toBe(false)
    expect(subsumes(api, url({ host: 'api.example.com' }))).toBe(false)
    expect(subsumes(api, url({ host: 'api.example.com', path: '/v1', port: 8443 }))).toBe(false)
    expect(subsumes(api, url({ host: 'api.example.com', path: '/v1', scheme: 'wss' }))).toBe(false)
    expect(subsumes(api, { constraint_type: 'exact', value: 'https://api.example.com/v1/a' })).toBe(true)
    expect(subsumes(api, { constraint_type: 'exact', value: 'https://api.example.com/v1/../a' })).toBe(false)
  })
})
