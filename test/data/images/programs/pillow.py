"""Makes pillow.json: small pictures of every kind and the pixels that Pillow 13 reads from them."""
import base64, io, json, struct, sys, warnings
import numpy as np
from PIL import Image

warnings.simplefilter('ignore')
W, H = 13, 7
y, x = np.mgrid[0:H, 0:W]
rgb = np.stack([x * 255 // W, y * 255 // H, np.where(x > y, 200, 40)], -1).astype(np.uint8)
picture = Image.fromarray(rgb)
cases = []


def add(name, file):
    with Image.open(io.BytesIO(file)) as image:
        if image.mode in ('RGBA', 'LA'):
            white = Image.new('RGBA', image.size, 'white')
            pixels = Image.alpha_composite(white, image.convert('RGBA')).convert('RGB')
        else:
            pixels = image.convert('RGB')
    put(name, file, pixels=base64.b64encode(pixels.tobytes()).decode())


def put(name, file, **expected):
    cases.append({'name': name, 'width': W, 'height': H, 'file': base64.b64encode(file).decode(), **expected})


def rows(values, bits, top_down=False):
    """Rows of packed values, each filled up to four bytes."""
    out = []
    for row in values if top_down else values[::-1]:
        if bits < 8:
            text = ''.join(format(int(v), f'0{bits}b') for v in row)
            text += '0' * (-len(text) % 8)
            data = bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))
        else:
            data = b''.join(int(v).to_bytes(bits // 8, 'little') for v in row)
        out.append(data + b'\0' * (-len(data) % 4))
    return b''.join(out)


def bmp(bits, pixels, palette=b'', height=H, compression=0, colours=0, size=40, extra=b'', start=None, masks=b''):
    if size == 12:
        info = struct.pack('<IHHHH', 12, W, height, 1, bits)
    else:
        info = struct.pack('<IiiHHIIiiII', size, W, height, 1, bits, compression, len(pixels), 0, 0, colours, 0)
        info += extra + b'\0' * (size - 40 - len(extra))
    at = 14 + len(info) + len(masks) + len(palette) if start is None else start
    return struct.pack('<2sIHHI', b'BM', at + len(pixels), 0, 0, at) + info + masks + palette + pixels


def palette_of(count, step=4):
    steps = np.random.default_rng(count).integers(0, 256, (count, 3))
    return b''.join(bytes([int(v) for v in c]) + b'\0' * (step - 3) for c in steps)


def index(bits):
    return (x * 5 + y * 3) % 2**bits


for bits in (1, 4, 8):
    add(f'{bits} bits', bmp(bits, rows(index(bits), bits), palette_of(2**bits)))
    add(f'{bits} bits, from the top', bmp(bits, rows(index(bits), bits, True), palette_of(2**bits), -H))
    add(f'{bits} bits, OS/2', bmp(bits, rows(index(bits), bits), palette_of(2**bits, 3), size=12))
add('8 bits, few colours', bmp(8, rows(index(3), 8), palette_of(8), colours=8))
add('8 bits, place of the pixels not given', bmp(8, rows(index(8), 8), palette_of(256), start=54))
v24 = rgb[..., 0].astype(np.int64) << 16 | rgb[..., 1].astype(np.int64) << 8 | rgb[..., 2]
v15 = (rgb[..., 0].astype(int) >> 3) << 10 | (rgb[..., 1].astype(int) >> 3) << 5 | rgb[..., 2] >> 3
v16 = (rgb[..., 0].astype(int) >> 3) << 11 | (rgb[..., 1].astype(int) >> 2) << 5 | rgb[..., 2] >> 3
add('16 bits', bmp(16, rows(v15, 16)))
add('24 bits', bmp(24, rows(v24, 24)))
add('24 bits, from the top', bmp(24, rows(v24, 24, True), height=-H))
add('24 bits, OS/2', bmp(24, rows(v24, 24), size=12))
add('24 bits, OS/2 version 2', bmp(24, rows(v24, 24), size=64))
add('32 bits', bmp(32, rows(v24 | 77 << 24, 32)))
fields = lambda *masks: struct.pack(f'<{len(masks)}I', *masks)
add('16 bits, fields 565', bmp(16, rows(v16, 16), compression=3, masks=fields(0xF800, 0x7E0, 0x1F)))
add('16 bits, fields 555', bmp(16, rows(v15, 16), compression=3, masks=fields(0x7C00, 0x3E0, 0x1F)))
add('32 bits, fields', bmp(32, rows(v24 << 8, 32), compression=3, masks=fields(0xFF000000, 0xFF0000, 0xFF00)))
alpha = (x * 19 + 5).astype(np.int64) << 24
bgra = fields(0xFF0000, 0xFF00, 0xFF, 0xFF000000)
for size in (56, 108, 124):
    add(f'32 bits, alpha, header of {size}', bmp(32, rows(v24 | alpha, 32), compression=3, size=size, extra=bgra))
add('24 bits, header of 124', bmp(24, rows(v24, 24), size=124))
runs8 = b''
for row in index(8)[::-1]:
    runs8 += bytes([3, int(row[0])]) + bytes([0, 7]) + bytes(int(v) for v in row[1:8]) + b'\0' + bytes([0, 2, 2, 0])
    runs8 += bytes([1, int(row[10])]) + b'\0\0'
add('8 bits, run lengths', bmp(8, runs8 + b'\0\1', palette_of(256), compression=1))
runs4 = b''
for row in index(4)[::-1]:
    runs4 += bytes([4, int(row[0]) << 4 | int(row[1])]) + bytes([0, 5])
    nibbles = [int(v) for v in row[4:9]] + [0]
    runs4 += bytes(a << 4 | b for a, b in zip(nibbles[::2], nibbles[1::2])) + b'\0' + bytes([4, 0x3A]) + b'\0\0'
add('4 bits, run lengths', bmp(4, runs4 + b'\0\1', palette_of(16), compression=2))
put('a JPEG inside', bmp(24, b'\xff\xd8\xff', compression=4), refusal='has a JPEG inside and is not read; save it as PNG.')
put('64 bits', bmp(64, rows(v24, 64)), refusal='has 64 bits a pixel, compression 0 and is not read')
put('cut off', bmp(24, rows(v24, 24))[:-40], refusal='the BMP is cut off, damaged or of a rare kind')
put('header cut off', bmp(24, rows(v24, 24))[:30], refusal='the BMP is cut off, damaged or of a rare kind')
put('run lengths cut off', bmp(8, runs8[:-30], palette_of(256), compression=1), refusal='the BMP is cut off')
for case in cases:
    case['format'] = 'BMP'


def tiff(photometric, data, bits=8, extras=(), compression=1, tags={}):
    """An uncompressed little-endian TIFF of one strip."""
    samples = data.shape[-1]
    raw = data.astype('<u2' if bits == 16 else 'u1').tobytes()
    entries = {256: (4, [W]), 257: (4, [H]), 258: (3, [bits] * samples), 259: (3, [compression]),
               262: (3, [photometric]), 273: (4, [0]), 277: (3, [samples]), 278: (4, [H]), 279: (4, [len(raw)])}
    if extras:
        entries[338] = (3, list(extras))
    entries.update(tags)
    body, at = b'', 8 + 2 + 12 * len(entries) + 4
    directory = struct.pack('<H', len(entries))
    packed = {}
    for tag, (kind, values) in sorted(entries.items()):
        code = {3: 'H', 4: 'I', 5: 'I'}[kind]
        packed[tag] = struct.pack(f'<{len(values)}{code}', *values)
    total = at + sum(len(p) + len(p) % 2 for p in packed.values() if len(p) > 4)
    packed[273] = struct.pack('<I', total)
    for tag, (kind, values) in sorted(entries.items()):
        data = packed[tag]
        count = len(values) // (2 if kind == 5 else 1)
        if len(data) <= 4:
            field = data.ljust(4, b'\0')
        else:
            field = struct.pack('<I', at + len(body))
            body += data + b'\0' * (len(data) % 2)
        directory += struct.pack('<HHI', tag, kind, count) + field
    return b'II*\0' + struct.pack('<I', 8) + directory + b'\0' * 4 + body + raw


start = len(cases)
ycc = np.array(picture.convert('YCbCr'))
full = {530: (3, [1, 1])}
add('YCbCr', tiff(6, ycc, tags=full))
every = np.random.default_rng(7).integers(0, 256, (H, W, 3))
add('YCbCr beyond RGB', tiff(6, every, tags=full))
add('YCbCr, usual range', tiff(6, ycc, tags={**full, 532: (5, [0, 1, 255, 1, 128, 1, 255, 1, 128, 1, 255, 1])}))
inks = np.array(picture.convert('CMYK'))
inks[..., 3] = x * 9
add('CMYK', tiff(5, inks))
add('CMYK, 16 bits', tiff(5, inks.astype(int) * 256 + 77, 16))
add('a channel that means nothing', tiff(2, np.dstack([rgb, x * 19]), extras=[0]))
add('grey and a channel that means nothing', tiff(1, np.dstack([rgb[..., 0], x * 19]), extras=[0]))
add('alpha', tiff(2, np.dstack([rgb, x * 19]), extras=[2]))
add('alpha and a channel that means nothing', tiff(2, np.dstack([rgb, x * 19, y]), extras=[2, 0]))
add('two channels that mean nothing', tiff(2, np.dstack([rgb, x * 19, y]), extras=[0, 0]))
add('inverted grey', tiff(0, rgb[..., :1]))
put('coarser chroma', tiff(6, ycc, tags={530: (3, [2, 2])}), refusal='has YCbCr with coarser chroma and is not read; save it as RGB.')
put('video range', tiff(6, ycc, tags={**full, 532: (5, [16, 1, 235, 1, 128, 1, 240, 1, 128, 1, 240, 1])}), refusal='has YCbCr of a rare range and is not read')
put('YCbCr in planes', tiff(6, ycc, tags={**full, 284: (3, [2])}), refusal='has YCbCr in planes and is not read')
put('YCbCr, 16 bits', tiff(6, ycc, 16, tags=full), refusal='has YCbCr of a rare depth and is not read')
put('Lab', tiff(8, ycc), refusal='has CIE Lab colours and is not read; save it as RGB.')
put('raw sensor data', tiff(32803, rgb[..., :1]), refusal='has raw sensor data and is not read')
for case in cases[start:]:
    case['format'] = 'TIFF'
start = len(cases)
stream = io.BytesIO()
picture.convert('CMYK').save(stream, 'JPEG', quality=95)
add('CMYK', stream.getvalue())
import imagecodecs
add('YCCK', imagecodecs.jpeg8_encode(np.ascontiguousarray(inks), level=95, colorspace='CMYK', outcolorspace='YCCK'))
for case in cases[start:]:
    case['format'] = 'JPEG'
with open(sys.argv[1], 'w') as out:
    out.write('[\n' + ',\n'.join(json.dumps(case) for case in cases) + '\n]\n')
