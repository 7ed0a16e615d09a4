// Many views at once on an accelerator: depth buffers of triangles, and the light on what they show.
//
// The same rules as render.py, view by view: the nearest surface is shaded, the farthest is the back. A batch is
// flat: vertices, triangles and normals of all its objects lie one after another; `object[t]` says whose a triangle
// is, and per object there are its view and its texture. Arrays are row-major; sides are in pixels.

// Parameters of a view, floats.
#define WIDTH 0       // of the frame, in the object's unit
#define DISTANCE 1    // from the camera to the object's middle
#define RADIUS 2      // of the sphere around the object
#define LAMP 3        // direction, 3
#define LAMP_COLOUR 6 // 3
#define SKY 9         // 3
#define GROUND 12     // 3
#define HIGHLIGHT 15
#define SHARPNESS 16
#define SHADOW 17
#define SMOOTH 18
#define GRAIN 19      // strength, waves, phase
#define COLOUR 22     // the texture's colours are multiplied by this (3, 3) ...
#define COLOUR_ADDED 31  // ... and this is added, 3
#define ACROSS 34     // axes of the picture the lamp sees, 3 and 3
#define UP 37
#define PARAMETERS 40

// Whole numbers that sort as the floats do.
__device__ unsigned int key_of(float z) {
    unsigned int bits = __float_as_uint(z);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

__device__ float of_key(unsigned int key) {
    return __uint_as_float(key & 0x80000000u ? key & 0x7fffffffu : ~key);
}

__device__ float edge(float ax, float ay, float bx, float by, float px, float py) {
    return (ax - px) * (by - py) - (ay - py) * (bx - px);
}

// Thirty-two threads share a triangle. `screen` (v, 4): x, y in pixels, 1 / distance to the camera, depth towards
// the viewer. `near` (views, side, side): the nearest depth's key, then the triangle; may be null. `far`: the
// farthest depth's key; may be null. `top`: the nearest depth's key alone; may be null.
extern "C" __global__ void rasterise(
    const float* screen, const int* triangles, const int* object, const int* view_of, int count, int side,
    unsigned long long* near, unsigned int* far, unsigned int* top
) {
    long long thread = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    int t = (int)(thread / 32), lane = (int)(thread % 32);
    if (t >= count) return;
    const float* a = screen + 4 * triangles[3 * t];
    const float* b = screen + 4 * triangles[3 * t + 1];
    const float* c = screen + 4 * triangles[3 * t + 2];
    float area = edge(a[0], a[1], b[0], b[1], c[0], c[1]);
    if (fabsf(area) < 1e-6f) return;
    int x0 = max(0, (int)ceilf(fminf(fminf(a[0], b[0]), c[0]) - 0.5f));
    int x1 = min(side - 1, (int)floorf(fmaxf(fmaxf(a[0], b[0]), c[0]) - 0.5f));
    int y0 = max(0, (int)ceilf(fminf(fminf(a[1], b[1]), c[1]) - 0.5f));
    int y1 = min(side - 1, (int)floorf(fmaxf(fmaxf(a[1], b[1]), c[1]) - 0.5f));
    int columns = x1 - x0 + 1;
    if (columns <= 0 || y1 < y0) return;
    long long base = (long long)view_of[object[t]] * side * side;
    for (int i = lane; i < columns * (y1 - y0 + 1); i += 32) {
        int x = x0 + i % columns, y = y0 + i / columns;
        float px = x + 0.5f, py = y + 0.5f;
        float u = edge(b[0], b[1], c[0], c[1], px, py) / area;
        float v = edge(c[0], c[1], a[0], a[1], px, py) / area;
        float w = 1 - u - v;
        if (u < -1e-6f || v < -1e-6f || w < -1e-6f) continue;
        float iu = u * a[2], iv = v * b[2], iw = w * c[2];
        unsigned int key = key_of((iu * a[3] + iv * b[3] + iw * c[3]) / (iu + iv + iw));
        long long at = base + (long long)y * side + x;
        if (near) {
            unsigned long long packed = ((unsigned long long)key << 32) | (unsigned int)t;
            if (packed > near[at]) atomicMax(near + at, packed);
        }
        if (far && key < far[at]) atomicMin(far + at, key);
        if (top && key > top[at]) atomicMax(top + at, key);
    }
}

// One thread per pixel of the small picture, which has `samples`² of the large one's. `rest` (v, 3): vertices
// before any change, which textures in space hold on to. `textures`: sRGB bytes; per object `texture` (o, 4): where
// it begins, rows, columns, and repeats a unit in space (0: by `uv`). Out, per view, (side, side) each: the share
// seen, front and back in frame widths, and light of the sky (3) and of the lamp (3), linear, summed over samples.
extern "C" __global__ void shade(
    const float* screen, const float* points, const float* rest, const float* uv, const int* triangles,
    const int* groups, const float* normals, const int* object, const unsigned char* textures,
    const long long* texture, const float* parameters, const unsigned long long* near, const unsigned int* far,
    const unsigned int* top, int views, int side, int samples, float* mask, float* front, float* back, float* colours
) {
    long long pixel = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (pixel >= (long long)views * side * side) return;
    int view = (int)(pixel / (side * side)), row = (int)(pixel / side % side), column = (int)(pixel % side);
    const float* p = parameters + (long long)view * PARAMETERS;
    int fine = side * samples, seen = 0;
    float nearest = 0, farthest = 0, out[6] = {0, 0, 0, 0, 0, 0};
    for (int sample = 0; sample < samples * samples; sample++) {
        int x = column * samples + sample % samples, y = row * samples + sample / samples;
        long long at = ((long long)view * fine + y) * fine + x;
        unsigned long long packed = near[at];
        if (!packed) continue;
        seen++;
        nearest += of_key((unsigned int)(packed >> 32));
        farthest += of_key(far[at]);
        int t = (int)(packed & 0xffffffffu);
        int corner[3] = {triangles[3 * t], triangles[3 * t + 1], triangles[3 * t + 2]};
        const float* a = screen + 4 * corner[0];
        const float* b = screen + 4 * corner[1];
        const float* c = screen + 4 * corner[2];
        float area = edge(a[0], a[1], b[0], b[1], c[0], c[1]);
        float weight[3];
        weight[0] = edge(b[0], b[1], c[0], c[1], x + 0.5f, y + 0.5f) / area * a[2];
        weight[1] = edge(c[0], c[1], a[0], a[1], x + 0.5f, y + 0.5f) / area * b[2];
        weight[2] = edge(a[0], a[1], b[0], b[1], x + 0.5f, y + 0.5f) / area * c[2];
        float total = weight[0] + weight[1] + weight[2];
        float at3[3] = {0, 0, 0}, still[3] = {0, 0, 0}, n[3] = {0, 0, 0}, tu = 0, tv = 0;
        for (int k = 0; k < 3; k++) {
            float share = weight[k] / total;
            for (int j = 0; j < 3; j++) {
                at3[j] += share * points[3 * corner[k] + j];
                still[j] += share * rest[3 * corner[k] + j];
                n[j] += share * normals[3 * (long long)groups[3 * t + k] + j];
            }
            tu += share * uv[2 * corner[k]];
            tv += share * uv[2 * corner[k] + 1];
        }
        if (p[SMOOTH] < 0.5f || n[0] * n[0] + n[1] * n[1] + n[2] * n[2] < 1e-12f) {
            float e[3], f[3];
            for (int j = 0; j < 3; j++) {
                e[j] = points[3 * corner[1] + j] - points[3 * corner[0] + j];
                f[j] = points[3 * corner[2] + j] - points[3 * corner[0] + j];
            }
            n[0] = e[1] * f[2] - e[2] * f[1];
            n[1] = e[2] * f[0] - e[0] * f[2];
            n[2] = e[0] * f[1] - e[1] * f[0];
        }
        float v[3] = {-at3[0], -at3[1], p[DISTANCE] - at3[2]};
        float long_v = rsqrtf(v[0] * v[0] + v[1] * v[1] + v[2] * v[2] + 1e-20f);
        float long_n = rsqrtf(n[0] * n[0] + n[1] * n[1] + n[2] * n[2] + 1e-20f);
        if (n[0] * v[0] + n[1] * v[1] + n[2] * v[2] < 0) long_n = -long_n;
        float lit = 0, half = 0, size = 0;
        for (int j = 0; j < 3; j++) {
            v[j] *= long_v;
            n[j] *= long_n;
            lit += n[j] * p[LAMP + j];
            half += n[j] * (v[j] + p[LAMP + j]);
            size += (v[j] + p[LAMP + j]) * (v[j] + p[LAMP + j]);
        }
        lit = fmaxf(lit, 0.0f);
        if (lit > 0 && p[SHADOW] > 0.5f) {
            float across = 0, up = 0, along = 0.03f * p[RADIUS];
            for (int j = 0; j < 3; j++) {
                across += at3[j] * p[ACROSS + j];
                up += at3[j] * p[UP + j];
                along += at3[j] * p[LAMP + j];
            }
            int sx = (int)floorf((across / (2.02f * p[RADIUS]) + 0.5f) * fine);
            int sy = (int)floorf((up / (2.02f * p[RADIUS]) + 0.5f) * fine);
            if (sx >= 0 && sx < fine && sy >= 0 && sy < fine) {
                unsigned int key = top[((long long)view * fine + sy) * fine + sx];
                if (key && of_key(key) > along) lit = 0;
            }
        }
        float shine = 0;
        if (lit > 0 && p[HIGHLIGHT] > 0)
            shine = p[HIGHLIGHT] * powf(fmaxf(half * rsqrtf(size + 1e-20f), 0.0f), p[SHARPNESS]);
        const long long* image = texture + 4 * object[t];
        int rows = (int)image[1], columns = (int)image[2];
        if (image[3] > 0) {  // a pattern in space, along the axis the surface faces most
            float e[3], f[3], g[3];
            for (int j = 0; j < 3; j++) {
                e[j] = rest[3 * corner[1] + j] - rest[3 * corner[0] + j];
                f[j] = rest[3 * corner[2] + j] - rest[3 * corner[0] + j];
            }
            g[0] = fabsf(e[1] * f[2] - e[2] * f[1]);
            g[1] = fabsf(e[2] * f[0] - e[0] * f[2]);
            g[2] = fabsf(e[0] * f[1] - e[1] * f[0]);
            int axis = g[0] > g[1] ? (g[0] > g[2] ? 0 : 2) : (g[1] > g[2] ? 1 : 2);
            tu = still[axis == 0 ? 2 : 0] * image[3] * 0.01f;
            tv = still[axis == 1 ? 2 : 1] * image[3] * -0.01f;
        }
        int tx = min(columns - 1, (int)((tu - floorf(tu)) * columns));
        int ty = min(rows - 1, (int)((tv - floorf(tv)) * rows));
        const unsigned char* texel = textures + image[0] + 3 * ((long long)ty * columns + tx);
        float uneven = 1;
        if (p[GRAIN] > 0) {
            float f = 6.28f * p[GRAIN + 1], phase = p[GRAIN + 2];
            float waves = sinf(f * (still[0] + 0.4f * still[1]) + phase) * sinf(f * (still[1] - 0.3f * still[2]) + 2 * phase);
            uneven += p[GRAIN] * (waves + 0.6f * sinf(1.9f * f * (still[2] + 0.5f * still[0]) + phase));
            uneven = fminf(fmaxf(uneven, 0.1f), 1.8f);
        }
        float above = 0.5f + 0.5f * n[1];
        for (int k = 0; k < 3; k++) {
            float base = p[COLOUR_ADDED + k];
            for (int j = 0; j < 3; j++) base += p[COLOUR + 3 * k + j] * texel[j] / 255.0f;
            base = powf(fminf(fmaxf(base, 0.0f), 1.0f), 2.2f) * uneven;
            out[k] += base * (p[SKY + k] * above + p[GROUND + k] * (1 - above));
            out[3 + k] += p[LAMP_COLOUR + k] * (base * lit + shine);
        }
    }
    mask[pixel] = (float)seen / (samples * samples);
    front[pixel] = seen ? nearest / seen / p[WIDTH] : 0;
    back[pixel] = seen ? farthest / seen / p[WIDTH] : 0;
    long long plane = (long long)side * side, at = (long long)view * 6 * plane + pixel % plane;
    for (int k = 0; k < 6; k++) colours[at + k * plane] = seen ? out[k] / seen : 0;
}

// Distance in pixels from each pixel inside to the nearest outside (Euclidean; Felzenszwalb and Huttenlocher's two
// passes, the second by trying every column). One thread per pixel; `down` (views, side, side) is what `columns`
// finds: squared distances within each column.
extern "C" __global__ void columns(const unsigned char* inside, int views, int side, float* down) {
    long long thread = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (thread >= (long long)views * side) return;
    long long base = thread / side * side * side + thread % side;
    float away = 1e4f;
    for (int y = 0; y < side; y++) {
        away = inside[base + y * side] ? away + 1 : 0;
        down[base + y * side] = away;
    }
    away = 1e4f;
    for (int y = side - 1; y >= 0; y--) {
        away = inside[base + y * side] ? away + 1 : 0;
        float least = fminf(down[base + y * side], away);
        down[base + y * side] = least * least;
    }
}

extern "C" __global__ void distances(const float* down, int views, int side, float* away) {
    long long pixel = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (pixel >= (long long)views * side * side) return;
    const float* row = down + pixel / side * side;
    int x = (int)(pixel % side);
    float least = 1e9f;
    for (int other = 0; other < side; other++) {
        float found = row[other] + (float)((other - x) * (other - x));
        least = fminf(least, found);
    }
    away[pixel] = sqrtf(least);
}
