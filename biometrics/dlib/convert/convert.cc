// convert writes dlib's model files from what the package registries have.
//
//   convert descriptor WEIGHTS OUT   the face descriptor net, from raw weights
//   convert detector OUT             a CNN detector that was never trained
//
// WEIGHTS is little-endian float32 in the order of the net from its input on:
// for each convolution the filters [rows][columns][channels][filters], the
// biases, then gamma and beta of the affine layer behind it; last the fully
// connected layer [256][128]. biometrics/prepare writes it.
//
// The detector exists because go-face opens three files, wanted or not. It finds
// nothing that means anything.
#include <dlib/dnn.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

using namespace dlib;

// The two nets as dlib's examples dnn_face_recognition_ex and
// dnn_mmod_face_detection_ex define them; the file formats follow from the types.
template <int N, template <typename> class BN, int stride, typename SUBNET>
using block = BN<con<N, 3, 3, 1, 1, relu<BN<con<N, 3, 3, stride, stride, SUBNET>>>>>;
template <int N, typename SUBNET>
using ares = relu<add_prev1<block<N, affine, 1, tag1<SUBNET>>>>;
template <int N, typename SUBNET>
using ares_down = relu<add_prev2<avg_pool<2, 2, 2, 2, skip1<tag2<block<N, affine, 2, tag1<SUBNET>>>>>>>;
template <typename SUBNET> using level0 = ares_down<256, SUBNET>;
template <typename SUBNET> using level1 = ares<256, ares<256, ares_down<256, SUBNET>>>;
template <typename SUBNET> using level2 = ares<128, ares<128, ares_down<128, SUBNET>>>;
template <typename SUBNET> using level3 = ares<64, ares<64, ares<64, ares_down<64, SUBNET>>>>;
template <typename SUBNET> using level4 = ares<32, ares<32, ares<32, SUBNET>>>;
using descriptor_net = loss_metric<fc_no_bias<128, avg_pool_everything<
    level0<level1<level2<level3<level4<
    max_pool<3, 3, 2, 2, relu<affine<con<32, 7, 7, 2, 2, input_rgb_image_sized<150>>>>>>>>>>>>>;

template <long N, typename SUBNET> using con5d = relu<affine<con<N, 5, 5, 2, 2, SUBNET>>>;
template <long N, typename SUBNET> using con5 = relu<affine<con<N, 5, 5, 1, 1, SUBNET>>>;
using detector_net = loss_mmod<con<1, 9, 9, 1, 1, con5<45, con5<45, con5<45,
    con5d<32, con5d<32, con5d<16, input_rgb_image_pyramid<pyramid_down<6>>>>>>>>>>;

// weights hands out the numbers of the file in order.
class weights {
public:
    explicit weights(const std::string& path) {
        std::ifstream in(path, std::ios::binary);
        if (!in) throw std::runtime_error("can't open " + path);
        std::vector<char> bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
        if (bytes.size() % sizeof(float) != 0) throw std::runtime_error("weights end within a number");
        values_.resize(bytes.size() / sizeof(float));
        std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(values_.data()));
    }
    const float* take(size_t n) {
        if (values_.size() - next_ < n) throw std::runtime_error("too few weights");
        next_ += n;
        return values_.data() + next_ - n;
    }
    bool empty() const { return next_ == values_.size(); }

private:
    std::vector<float> values_;
    size_t next_ = 0;
};

void fill(tensor& to, size_t offset, const float* from, size_t n) {
    if (offset + n > to.size()) throw std::runtime_error("layer is smaller than its weights");
    std::copy(from, from + n, to.host() + offset);
}

// prepare_layer runs before the first forward pass. affine_ starts out as if it
// followed a fully connected layer and would allocate one gamma per pixel.
template <typename T> void prepare_layer(T&) {}
void prepare_layer(affine_& l) { l = affine_(CONV_MODE); }

template <typename T> void load_layer(T&, weights&) {}

// dlib keeps filters as [filters][channels][rows][columns], biases behind them.
template <long N, long R, long C, int SY, int SX, int PY, int PX>
void load_layer(con_<N, R, C, SY, SX, PY, PX>& l, weights& w) {
    tensor& params = l.get_layer_params();
    const long depth = (params.size() - N) / (N * R * C);
    const float* in = w.take(N * depth * R * C);
    float* out = params.host();
    for (long n = 0; n < N; ++n)
        for (long k = 0; k < depth; ++k)
            for (long r = 0; r < R; ++r)
                for (long c = 0; c < C; ++c)
                    *out++ = in[((r * C + c) * depth + k) * N + n];
    fill(params, N * depth * R * C, w.take(N), N);
}

void load_layer(affine_& l, weights& w) {
    auto gamma = l.get_gamma();
    auto beta = l.get_beta();
    fill(gamma, 0, w.take(gamma.size()), gamma.size());
    fill(beta, 0, w.take(beta.size()), beta.size());
}

template <unsigned long N, fc_bias_mode B>
void load_layer(fc_<N, B>& l, weights& w) {
    tensor& params = l.get_layer_params();
    fill(params, 0, w.take(params.size()), params.size());
}

// visitors for visit_layers_backwards, which goes from the input to the loss and
// shows input, tag and skip layers too.
struct prepare_visitor {
    template <typename T> void operator()(size_t, T&) const {}
    template <typename L, typename S, typename E>
    void operator()(size_t, add_layer<L, S, E>& l) const { prepare_layer(l.layer_details()); }
};
struct load_visitor {
    weights& w;
    template <typename T> void operator()(size_t, T&) const {}
    template <typename L, typename S, typename E>
    void operator()(size_t, add_layer<L, S, E>& l) const { load_layer(l.layer_details(), w); }
};

void convert_descriptor(const std::string& in, const std::string& out) {
    weights w(in);
    descriptor_net net;
    visit_layers(net, prepare_visitor{});
    matrix<rgb_pixel> blank(150, 150);
    assign_all_pixels(blank, rgb_pixel(0, 0, 0));
    net(blank); // allocates every layer's parameters
    visit_layers_backwards(net, load_visitor{w});
    if (!w.empty()) throw std::runtime_error("too many weights");
    net.clean();
    serialize(out) << net;
}

int main(int argc, char** argv) {
    const std::vector<std::string> args(argv + 1, argv + argc);
    try {
        if (args.size() == 3 && args[0] == "descriptor") {
            convert_descriptor(args[1], args[2]);
        } else if (args.size() == 2 && args[0] == "detector") {
            serialize(args[1]) << detector_net();
        } else {
            std::cerr << "usage: convert descriptor WEIGHTS OUT | convert detector OUT\n";
            return 2;
        }
    } catch (const std::exception& e) {
        std::cerr << "convert: " << e.what() << "\n";
        return 1;
    }
}
