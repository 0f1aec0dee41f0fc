import { describe, expect } from 'vitest'
import { checkConstraint } from '../../runtime/delegation/check-constraint.js'
import { parseConstraint } from '../../runtime/delegation/constraint.js'
import { subsumes } from '../../runtime/delegation/subsumes.js'
import { attack } from '../support/attack.js'

/** A bypass, and the nearest value that must pass. */
type Pair = readonly [bypass: string, allowed: string]

/** The bypass is refused as an argument and as the `exact` or `one_of` of a child; the allowed value is neither. */
function expectPairs(wire: object, pairs: readonly Pair[]): void {
  const constraint = parseConstraint(wire)
  for (const [bypass, allowed] of pairs) {
    for (const [value, passes] of [
      [bypass, false],
      [allowed, true],
    ] as const) {
      const shown = JSON.stringify(value)
      expect(checkConstraint(constraint, value), shown).toBe(passes)
      expect(subsumes(constraint, { constraint_type: 'exact', value }), shown).toBe(passes)
      const oneOf = { constraint_type: 'one_of', values: [allowed, value] } as const
      expect(subsumes(constraint, oneOf), shown).toBe(passes)
    }
  }
}

const api = { constraint_type: 'url', scheme: 'https', host: 'api.example.com', port: 443, path: '/v1' }
const suffix = { constraint_type: 'url', scheme: 'https', host_suffix: 'example.com', port: 443 }
const v1 = 'https://api.example.com/v1'
/** Each puts something before or behind the path `/v1`, or in it. */
const below = (...ends: readonly Pair[]): Pair[] => ends.map(([bad, good]) => [v1 + bad, v1 + good])

describe('url is not passed by', () => {
  attack('X18', 'user info, where a reader takes what follows it as the host', () => {
    expectPairs(api, [
      ['https://api.example.com@evil.com/v1', v1],
      ['https://api.example.com:443@evil.com/v1', `${v1}?@evil.com`],
      ['https://evil.com@api.example.com/v1', v1],
      ['https://:@api.example.com/v1', v1],
      ['https://@api.example.com/v1', v1],
      ['https://u:p@api.example.com/v1', v1],
      ['https://api.example.com%40evil.com/v1', v1],
      ['https://evil.com\\@api.example.com/v1', v1],
      ['https://evil.com#@api.example.com/v1', v1],
      ['https://evil.com?@api.example.com/v1', `${v1}/@me`],
    ])
  })

  attack('X18', 'an encoded or doubled separator in the path', () => {
    expectPairs(
      api,
      below(
        ['%2fadmin', '/admin'],
        ['/%2F..', '/%2B..'],
        ['/a%2Fb', '/a%20b'],
        ['%5cadmin', '/admin'],
        ['/..%5C..', '/..%20..'],
        ['/a%5cb', '/a%20b'],
        ['/\\admin', '/admin'],
        ['\\..\\admin', '/..admin'],
        ['/..;/admin', '/..,/admin'],
        ['/a;x=1', '/a,x=1'],
        [';/../admin', '/'],
        ['/%3b/admin', '/%2b/admin'],
        ['//admin', '/admin'],
        ['/a//b', '/a/b'],
        ['//', '/'],
        ['/%252fadmin', '/2fadmin'],
        ['/%255cadmin', '/5cadmin'],
      ),
    )
  })

  attack('X18', 'a dot segment, plain, encoded, doubly encoded or overlong', () => {
    expectPairs(
      api,
      below(
        ['/../admin', '/..admin'],
        ['/..', '/..a'],
        ['/.', '/.a'],
        ['/./admin', '/.admin'],
        ['/a/../../admin', '/a/.../admin'],
        ['/%2e%2e/admin', '/%2D%2D/admin'],
        ['/.%2E/admin', '/.%2D/admin'],
        ['/%2e', '/%2d'],
        ['/%252e%252e/admin', '/%2D2e/admin'],
        // Overlong UTF-8: `.` and `/` to a decoder that does not refuse it.
        ['/%c0%ae%c0%ae/admin', '/%c3%a9%c3%a9/admin'],
        ['/..%c0%af..%c0%afadmin', '/..%c3%a9..%c3%a9admin'],
        ['/%e0%80%ae%e0%80%ae/admin', '/%e2%82%ac/admin'],
        ['/%f0%80%80%af', '/%f0%9f%98%80'],
        ['/%ff', '/%c3%bf'],
        ['/%ed%a0%80', '/%ed%9f%bf'],
        ['/%u002e%u002e', '/u002e'],
        // Compatibility forms: `.` and `/` to a reader that folds them.
        ['/%ef%bc%8e%ef%bc%8e/admin', '/%ef%bc%a1/admin'],
        ['/%e2%80%a5/admin', '/%e2%80%94/admin'],
        ['/..%ef%bc%8fadmin', '/..%ef%bc%a1admin'],
        ['/a%ef%bc%8fadmin', '/a%ef%bc%a1admin'],
        ['/..%ef%bc%bcadmin', '/..%ef%bc%a1admin'],
        ['/a%ef%bc%9bb', '/a%ef%bc%a1b'],
      ),
    )
  })

  attack('X18', 'controls, spaces and text beyond ASCII', () => {
    expectPairs(
      api,
      below(
        ['/%00', '/%20'],
        ['/a%0d%0aX', '/a%20%20X'],
        ['/%7f', '/%7e'],
        ['/%1f', '/%21'],
        ['/a b', '/a%20b'],
        ['/\t', '/t'],
        ['\n', ''],
        ['/\r\n', '/'],
        ['/\0', '/0'],
        ['/\u00e9', '/%C3%A9'],
        ['/%', '/'],
        ['/%4', '/4'],
        ['/%gg', '/gg'],
        ['?a=\n', '?a=%0A'],
        ['?a=\\', '?a=%5C'],
        ['?a=\u00e9', '?a=%C3%A9'],
        ['#', ''],
        ['#/v1', '?/v1'],
      ),
    )
    expectPairs(api, [
      [` ${v1}`, v1],
      [`${v1} `, v1],
      [`\u00a0${v1}`, v1],
      [`\ufeff${v1}`, v1],
    ])
  })

  attack('X18', 'another spelling of its scheme, its port or the slashes', () => {
    expectPairs(api, [
      ['http://api.example.com/v1', v1],
      ['HTTPS://api.example.com/v1', v1],
      ['https:api.example.com/v1', v1],
      ['https:/api.example.com/v1', v1],
      ['https:///api.example.com/v1', v1],
      ['https:\\\\api.example.com\\v1', v1],
      ['//api.example.com/v1', v1],
      ['wss://api.example.com/v1', v1],
      ['blob:https://api.example.com/v1', v1],
      ['view-source:https://api.example.com/v1', v1],
      ['https://api.example.com:80/v1', 'https://api.example.com:443/v1'],
      ['https://api.example.com:/v1', v1],
      ['https://api.example.com:0443/v1', 'https://api.example.com:443/v1'],
      ['https://api.example.com:65979/v1', 'https://api.example.com:443/v1'],
      ['https://api.example.com:443:443/v1', 'https://api.example.com:443/v1'],
      ['https://api.example.com:+443/v1', 'https://api.example.com:443/v1'],
      ['https://api.example.com:443a/v1', 'https://api.example.com:443/v1'],
      ['https://api.example.com:\u0664\u0664\u0663/v1', 'https://api.example.com:443/v1'],
    ])
    // A port that is not the scheme's own must be written; the scheme's own may be left out.
    const odd = { ...api, port: 8443 }
    expectPairs(odd, [
      [v1, 'https://api.example.com:8443/v1'],
      ['https://api.example.com:443/v1', 'https://api.example.com:8443/v1'],
    ])
    const plain = { ...api, scheme: 'http', port: 443 }
    expectPairs(plain, [['http://api.example.com/v1', 'http://api.example.com:443/v1']])
  })

  attack('X18', 'another spelling of its host', () => {
    expectPairs(api, [
      ['https://API.example.com/v1', v1],
      ['https://api.example.com./v1', v1],
      ['https://api.example.com../v1', v1],
      ['https://.api.example.com/v1', v1],
      ['https://api..example.com/v1', v1],
      ['https://api%2eexample.com/v1', v1],
      ['https://api\u3002example.com/v1', v1],
      ['https://api\uff0eexample.com/v1', v1],
      ['https://\uff41pi.example.com/v1', v1],
      ['https://\u0430pi.example.com/v1', v1],
      ['https://xn--pi-6kc.example.com/v1', v1],
      ['https://api\u00ad.example.com/v1', v1],
      ['https://api.example.com\u200b/v1', v1],
      ['https://api.example.com%00.evil.com/v1', v1],
      ['https://api.example.com\0.evil.com/v1', v1],
      ['https://api.exam\tple.com/v1', v1],
      ['https://[api.example.com]/v1', v1],
      ['https://api_example.com/v1', v1],
    ])
    const idn = { ...api, host: 'xn--bcher-kva.de' }
    expectPairs(idn, [
      ['https://b\u00fccher.de/v1', 'https://xn--bcher-kva.de/v1'],
      ['https://bu\u0308cher.de/v1', 'https://xn--bcher-kva.de/v1'],
      ['https://XN--BCHER-KVA.de/v1', 'https://xn--bcher-kva.de/v1'],
      ['https://xn--bcher-kvb.de/v1', 'https://xn--bcher-kva.de/v1'],
    ])
  })

  attack('X18', 'a name that only ends like its suffix, or an address', () => {
    const host = (name: string) => `https://${name}/`
    expectPairs(suffix, [
      [host('badexample.com'), host('bad.example.com')],
      [host('-example.com'), host('example.com')],
      [host('example.com.evil.com'), host('evil.com.example.com')],
      [host('example.com.'), host('example.com')],
      [host('a.example.com.'), host('a.example.com')],
      [host('.example.com'), host('a.example.com')],
      [host('a..example.com'), host('a.b.example.com')],
      [host('-a.example.com'), host('a-a.example.com')],
      [host('a-.example.com'), host('a-a.example.com')],
      [host('EXAMPLE.com'), host('example.com')],
      [host('com'), host('example.com')],
      // An a-label that spells no name: readers differ on whether it is one.
      [host('xn--a.example.com'), host('xn--bcher-kva.example.com')],
      [host('xn--99999999.example.com'), host('xn--bcher-kva.example.com')],
      [host('xn--a-.example.com'), host('xn--fa-hia.example.com')],
      [host('a.xn--.example.com'), host('a.xn.example.com')],
      [host('evil.com/example.com'), host('example.com')],
      [host('evil.com?.example.com'), host('example.com')],
      [host(`${'a'.repeat(64)}.example.com`), host(`${'a'.repeat(63)}.example.com`)],
      [host('127.0.0.1'), host('a127.example.com')],
      [host('[::1]'), host('a.example.com')],
      [host('[::ffff:127.0.0.1]'), host('a.example.com')],
    ])
  })

  attack('X18', 'another spelling of its address', () => {
    const at = (name: string) => `http://${name}:8080/v1`
    const ipv4 = { ...api, scheme: 'http', host: '127.0.0.1', port: 8080 }
    const others = ['127.1', '127.0.1', '2130706433', '0x7f000001', '0x7f.0.0.1', '0x7f.1', '0177.0.0.1']
    const more = [
      '017700000001',
      '127.0.0.01',
      '127.0.0.1.',
      '127.0.0.256',
      '0127.0.0.1',
      '127.0.0.0x1',
      '127.00.0.1',
    ]
    const six = [
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::127.0.0.1]',
      '127\u30020.0.1',
      '\u246027.0.0.1',
      'localhost',
    ]
    expectPairs(
      ipv4,
      [...others, ...more, ...six].map((name) => [at(name), at('127.0.0.1')] as const),
    )
    const ipv6 = { ...api, scheme: 'http', host: '[::1]', port: 8080 }
    const spelt = [
      '[0:0:0:0:0:0:0:1]',
      '[::01]',
      '[::0001]',
      '[0::1]',
      '[::1%25lo]',
      '[::1',
      '::1',
      '[::0.0.0.1]',
    ]
    expectPairs(
      ipv6,
      spelt.map((name) => [at(name), at('[::1]')] as const),
    )
    const letters = { ...api, scheme: 'http', host: '[fe80::ab]', port: 8080 }
    expectPairs(letters, [[at('[FE80::AB]'), at('[fe80::ab]')]])
  })

  attack('X18', 'a path that only begins like its own', () => {
    expectPairs(
      api,
      below(['0', '/0'], ['x', '/x'], ['.', '/.x'], ['%20', '/%20'], [':', '/:'], ['~', '/~'], ['-', '/-']),
    )
    expectPairs(api, [
      ['https://api.example.com/V1', v1],
      ['https://api.example.com/%76%31', v1],
      ['https://api.example.com/v%31', v1],
      ['https://api.example.com', v1],
      ['https://api.example.com?/v1', `${v1}?`],
      ['https://api.example.com/', `${v1}/`],
    ])
  })
})

describe('path_containment is not passed by', () => {
  const root = '/srv/repo'
  const repo = { constraint_type: 'path_containment', root }

  attack('X18', 'a segment that would be resolved, or a reader’s other separator', () => {
    const ends: readonly Pair[] = [
      ['/..', '/..a'],
      ['/../x', '/..x'],
      ['/a/../../x', '/a/.../x'],
      ['/.', '/.a'],
      ['/./a', '/.a'],
      ['/a/.', '/a/.b'],
      ['//a', '/a'],
      ['/a//b', '/a/b'],
      ['/', ''],
      ['/a/', '/a'],
      ['/a\0', '/a0'],
      ['\0/a', '/a'],
      ['/a\0.txt', '/a.txt'],
      ['\\..\\x', '/..x'],
      ['/a\\b', '/ab'],
      ['/cafe\u0301', '/caf\u00e9'],
      ['/\u212b', '/\u00c5'],
      ['/\u1100\u1161', '/\uac00'],
      ['sitory', '/sitory'],
      ['2', '/2'],
      [' ', '/ '],
    ]
    expectPairs(
      repo,
      ends.map(([bad, good]) => [root + bad, root + good] as const),
    )
    expectPairs(repo, [
      ['srv/repo/a', `${root}/a`],
      ['./srv/repo/a', `${root}/a`],
      ['//srv/repo/a', `${root}/a`],
      ['/srv//repo/a', `${root}/a`],
      ['/srv/./repo/a', `${root}/a`],
      ['/srv/x/../repo/a', `${root}/a`],
      ['/SRV/repo/a', `${root}/a`],
      ['/srv/REPO/a', `${root}/a`],
      ['/srv', root],
      ['/', root],
      ['', root],
      ['~/srv/repo', root],
      ['file:///srv/repo', root],
      ['C:\\srv\\repo', root],
      [`\ufeff${root}`, root],
    ])
  })

  attack('X18', 'another normal form of its own root', () => {
    expectPairs({ constraint_type: 'path_containment', root: '/caf\u00e9' }, [
      ['/cafe\u0301/a', '/caf\u00e9/a'],
      ['/caf\u00e9/a\u0301', '/caf\u00e9/\u00e1'],
      ['/CAF\u00c9/a', '/caf\u00e9/a'],
    ])
  })
})

describe('pattern is not passed by', () => {
  attack('X18', 'a separator where `*` stands, or a text that would be resolved', () => {
    expectPairs({ constraint_type: 'pattern', value: '/a/*' }, [
      ['/a/b/c', '/a/bc'],
      ['/a/b/', '/a/b'],
      ['/a//', '/a/'],
      ['/a/..', '/a/...'],
      ['/a/.', '/a/.a'],
      ['/a/b\\c', '/a/bc'],
      ['/a/b\0', '/a/b0'],
      ['/a', '/a/'],
      ['/A/b', '/a/b'],
      [' /a/b', '/a/b '],
    ])
    expectPairs({ constraint_type: 'pattern', value: '/a/**' }, [
      ['/a/b/../c', '/a/b/..c'],
      ['/a/./c', '/a/.c'],
      ['/a/..\\c', '/a/..c'],
      ['/a/b/..', '/a/b/.. '],
      ['/ab/c', '/a/b/c'],
      ['/b/a/c', '/a/b/a/c'],
    ])
    expectPairs({ constraint_type: 'pattern', value: '/a/*/c' }, [
      ['/a/b/b/c', '/a/b/c'],
      ['/a/../c', '/a/..b/c'],
      ['/a/c', '/a//c'],
    ])
  })

  attack('X18', 'what only other languages of patterns mean', () => {
    const foreign: readonly Pair[] = [
      ['ab', 'a?'],
      ['a', '[a]'],
      ['b', '[!a]'],
      ['a', '{a,b}'],
      ['b', '!(a)'],
      ['a', 'a|b'],
      ['abc', 'a.c'],
      ['aa', 'a+'],
      ['a', '(a)'],
      ['a', '^a$'],
      ['a', 'a%'],
      ['/home', '~'],
      ['a', 'A'],
      ['\u00e9', 'e\u0301'],
    ]
    for (const [other, value] of foreign) expectPairs({ constraint_type: 'pattern', value }, [[other, value]])
  })
})
