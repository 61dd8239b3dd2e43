// Loads a model, answers for one picture with its text, prints the class.
// Usage: answer MODEL PICTURE TEXT, where MODEL is a run's folder or a model file.
#include <exception>
#include <iostream>

#include "diptych/model.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: answer MODEL PICTURE TEXT\n";
    return 2;
  }
  try {
    const diptych::Model model = diptych::Model::load(argv[1]);
    const diptych::Answer answer = model.answer({.image = argv[2], .text = argv[3]});
    std::cout << model.classes()[static_cast<std::size_t>(answer.best)] << '\n';
  } catch (const std::exception& error) {
    std::cerr << "answer: " << error.what() << '\n';
    return 1;
  }
}
