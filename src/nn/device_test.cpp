// Networks on another device than the processor. There need be no GPU: a made-up device stands for
// it, which refuses operands on both sides as CUDA does.
#include "nn/device.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "diptych/model.h"
#include "nn/made_up_device.h"
#include "nn/made_up_rows.h"
#include "nn/model_file.h"

namespace diptych {
namespace {

double distance(const torch::Tensor& a, const torch::Tensor& b) {
  return (a.to(at::kCPU) - b.to(at::kCPU)).abs().max().item<double>();
}

constexpr int kClasses = 3;

struct Pair {
  explicit Pair(const Config& config)
      : made(made_up_rows({.rows = 24, .side = config.image_size, .gaps = true})),
        preprocessor(Preprocessor::from_config(config, tokenizer_for(config, made.dataset))),
        description{config, made.dataset.classes(), preprocessor.tokenizer},
        host(std::make_shared<Network>(
            config, NetworkShape{preprocessor.tokenizer.vocabulary_size(), kClasses}, 5)) {
    host->set_pixel_statistics({0.4F, 0.5F, 0.6F}, {0.2F, 0.25F, 0.3F});
    there = copy_on(kMadeUpDevice, *host, description);
  }
  Batch batch() const { return batch_of(made, preprocessor, 0, 20); }

  MadeUpRows made;
  Preprocessor preprocessor;
  ModelDescription description;
  std::shared_ptr<Network> host, there;
};

void for_every_encoder(const std::function<void(Pair&)>& holds) {
  at::set_num_threads(1);
  for (const ImageEncoderKind image : {ImageEncoderKind::plain, ImageEncoderKind::residual}) {
    for (const TextEncoderKind text : {TextEncoderKind::lstm, TextEncoderKind::bilstm,
                                       TextEncoderKind::average, TextEncoderKind::bag}) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(image) << " " << static_cast<int>(text));
      Config config = small(Config());
      config.image_encoder = image;
      config.text_encoder = text;
      Pair pair(config);
      holds(pair);
    }
  }
}

// Of one training step through dropout, hidden branches and mixing, the draws the same each time.
torch::Tensor training_loss(Network& network, const Batch& batch) {
  Pass pass;
  pass.training = true;
  pass.generator = seeded_generator(network.device(), 9);
  const Mixing mixing{0.7, on_device(torch::arange(batch.size).flip(0), network.device())};
  torch::Tensor sum = torch::zeros({}, network.device());
  for (const auto& logits : network.forward(network.input_from(batch), pass, &mixing)) {
    sum = sum - torch::log_softmax(logits, 1).select(1, 1).mean();
  }
  return sum;
}

TEST(MadeUpDevice, RefusesAnOperandOnTheHost) {
  EXPECT_THROW(torch::ones({2}, kMadeUpDevice) + torch::ones({2}), c10::Error);
  const torch::Tensor x = torch::ones({2, 3}, kMadeUpDevice);
  EXPECT_THROW(x.index_select(0, torch::zeros({1}, at::kLong)), c10::Error);
}

TEST(Device, AnswersAsTheProcessorDoes) {
  for_every_encoder([](Pair& pair) {
    const torch::InferenceMode inference;
    Pass pass;
    const Batch batch = pair.batch();
    const auto answers = [&](Network& network) {
      return Network::probabilities(network.forward(network.input_from(batch), pass));
    };
    const torch::Tensor found = answers(*pair.there);
    EXPECT_EQ(found.device(), kMadeUpDevice);
    EXPECT_LT(distance(found, answers(*pair.host)), 1e-5);
  });
}

TEST(Device, GivesEveryParameterTheGradientThatTheProcessorGives) {
  for_every_encoder([](Pair& pair) {
    const Batch batch = pair.batch();
    const torch::Tensor there = training_loss(*pair.there, batch);
    const torch::Tensor host = training_loss(*pair.host, batch);
    EXPECT_LT(distance(there, host), 1e-5);
    there.backward();
    host.backward();
    const auto expected = pair.host->named_parameters();
    for (const auto& parameter : pair.there->named_parameters()) {
      const torch::Tensor gradient = parameter.value().grad();
      ASSERT_TRUE(gradient.defined()) << parameter.key();
      EXPECT_EQ(gradient.device(), kMadeUpDevice);
      EXPECT_LT(distance(gradient, expected[parameter.key()].grad()), 1e-4) << parameter.key();
    }
  });
}

TEST(Device, IsNotWaitedForInAStepForwardAndBackward) {
  for_every_encoder([](Pair& pair) {
    const Batch batch = pair.batch();
    made_up_waits = made_up_operators = 0;
    training_loss(*pair.there, batch).backward();
    EXPECT_EQ(made_up_waits, 0);
    EXPECT_GT(made_up_operators, 50);
  });
}

TEST(Device, LeavesNoTraceInAModelsBytes) {
  for_every_encoder([](Pair& pair) {
    EXPECT_EQ(pack_model(*pair.there, pair.description), pack_model(*pair.host, pair.description));
  });
}

TEST(Device, OfAModelIsChangedWithoutChangingItsAnswers) {
  const Pair pair(small(Config()));
  const Model model = Model::from_bytes(pack_model(*pair.host, pair.description), "test");
  const Batch batch = pair.batch();
  EXPECT_EQ(model.on(Device::cpu).predict(batch).probabilities, model.predict(batch).probabilities);
  const InPlaceOfCuda gpu(kMadeUpDevice);
  made_up_operators = 0;
  const std::vector<float> found = model.on(Device::automatic).predict(batch).probabilities;
  EXPECT_GT(made_up_operators, 10);
  EXPECT_LT(distance(torch::tensor(found), torch::tensor(model.predict(batch).probabilities)),
            1e-5);
}

TEST(Device, OtherThanTheProcessorDoesNotAnswerInInt8) {
  if (!packs_here()) GTEST_SKIP() << "needs AVX2 with FMA";
  Pair pair(small(Config()));
  pair.description.limits.assign(pair.host->convolutions(), 1);
  const std::string bytes = pack_model(*pair.host, pair.description);
  const Model model = Model::from_bytes(bytes, "test", Arithmetic::int8);
  const InPlaceOfCuda gpu(kMadeUpDevice);
  EXPECT_THROW(model.on(Device::cuda), Error);
}

TEST(Device, OfCudaIsRefusedWithTheReasonWhereThereIsNone) {
  if (torch::cuda::is_available()) GTEST_SKIP() << "there is one";
  EXPECT_EQ(resolve_device(Device::automatic), at::Device(at::kCPU));
  try {
    resolve_device(Device::cuda);
    FAIL() << "took it";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(error.full().find("leave --device out"), std::string::npos) << error.full();
  }
}

TEST(Device, IsTheProcessorWhereProcessesShareATraining) {
  const InPlaceOfCuda gpu(kMadeUpDevice);
  EXPECT_EQ(resolve_device(Device::automatic, 1), kMadeUpDevice);
  EXPECT_EQ(resolve_device(Device::automatic, 2), at::Device(at::kCPU));
  EXPECT_THROW(resolve_device(Device::cuda, 2), Error);
}

}  // namespace
}  // namespace diptych
